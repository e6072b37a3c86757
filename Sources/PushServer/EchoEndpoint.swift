import Common
import Logging
import NIOCore
import NIOPosix
import NodeRPC
import PushCore

/// A WebSocket echo through the very listener, handler and codec that devices get, for conformance suites
/// (`windfire bench ws-echo`). Nobody logs in and nothing is routed.
package enum EchoEndpoint {
    /// Serves until cancelled.
    /// - Parameter ready: told the port once it listens.
    package static func run(
        host: String, port: Int, logger: Logger, ready: @Sendable (Int) -> Void
    ) async throws {
        var limits = Limits.default
        // The suites send messages up to 16 MiB, in pieces of a few bytes, as fast as they can.
        limits.inboundMessageBytesMax = 16 << 20
        limits.fragmentsPerMessageMax = 1 << 20
        limits.authenticationDeadline = .seconds(3600)
        limits.messagesPerSecondMax = 10_000_000
        limits.messagesBurstMax = 10_000_000
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let incarnation = Incarnation.new(of: NodeID(unchecked: "echo"))
        let registry = InMemoryRegistry()
        let peers = Peers(registry: registry, caller: NoNodes(), clock: WallClock.milliseconds, logger: logger)
        let store = InMemoryRouteStore()
        let desk = LoginDesk(
            incarnation: incarnation, verifier: NoTokens(), routes: store, peers: peers, clock: { 0 }, logger: logger)
        let topicDesk = TopicDesk(
            incarnation: incarnation, store: store, rules: .none, limits: limits, logger: logger)
        let publisher = TopicPublisher(store: store, registry: registry, nodes: peers)
        let hub = Hub(
            incarnation: incarnation, loops: Array(group.makeIterator()),
            settings: SessionSettings(
                limits: limits, overflow: .disconnect, allowedOrigins: [], subprotocols: [EchoSubprotocol.self],
                isEveryPath: true),
            desk: desk, inboxes: InboxDesk(inboxes: store, logger: logger), topicDesk: topicDesk,
            publisher: DevicePublisher(publisher: publisher, clock: WallClock.milliseconds))
        await hub.start()
        let entrance = Entrance(
            hub: hub, admission: Admission(limits: limits, connectionsMax: 1_000), tls: nil, trustedProxies: [],
            logger: logger)
        let listener = try await DeviceListener(
            on: HostPort(host: host, port: port), entrance: entrance, group: group)
        ready(listener.localAddress?.port ?? port)
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        await listener.stopAccepting()
        await hub.stop()
        try? await group.shutdownGracefully()
    }

    private struct NoTokens: TokenVerifier {
        func verify(_ token: String) async throws(TokenRejection) -> TokenClaims { throw .unknownKey }
    }

    private struct NoNodes: NodeCaller {
        func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] {
            throw WindfireError(.nodeUnavailable, "there are no other nodes")
        }

        func kick(
            _ sessions: [SessionID], for reason: CloseReason, on member: Member
        ) async throws(WindfireError) -> Int {
            throw WindfireError(.nodeUnavailable, "there are no other nodes")
        }

        func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
            throw WindfireError(.nodeUnavailable, "there are no other nodes")
        }

        func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
            throw WindfireError(.nodeUnavailable, "there are no other nodes")
        }
    }
}
