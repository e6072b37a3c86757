import Common
import HTTPSupport
import NIOConcurrencyHelpers
import NIOPosix
import NodeRPC
import PushCore
import ServiceLifecycle
import TestKit
import Testing
import Webhooks

@testable import PushServer

/// Devices that jump between two nodes faster than news settles, told to a real receiver.
@Suite struct PresenceRaceTests {
    private static let settle: Duration = .milliseconds(500)
    private static let clients = 50
    private static let reconnects = 20

    /// The part of a node that claims, releases and tells.
    private struct TellingNode: Sendable {
        let incarnation: Incarnation
        let desk: LoginDesk
        let presence: Presence
        let group: ServiceGroup

        init(_ name: String, _ neighbours: Neighbours, _ url: String) throws {
            var webhook = try WebhookConfiguration(
                url: url, key: "webhooks.presence-url", secret: "an ordinary secret", allowsPrivate: true,
                limits: .default)
            webhook.flushMax = .seconds(1)
            incarnation = Incarnation.new(of: try NodeID(name))
            presence = Presence(
                PresenceConfiguration(webhook: webhook, settle: settle), routes: neighbours.routes,
                metrics: PrometheusRegistry(), clock: WallClock.milliseconds, logger: quiet)
            desk = LoginDesk(
                incarnation: incarnation,
                verifier: try JWTTokenVerifier(
                    .init(issuer: "windfire"), keys: SigningKeys(signer: neighbours.key).verification, now: { 0 }),
                routes: neighbours.routes,
                peers: Peers(
                    registry: neighbours.registry, caller: GRPCNodeCaller(secret: neighbours.secret, logger: quiet),
                    clock: WallClock.milliseconds, logger: quiet),
                presence: presence, clock: { 0 }, logger: quiet)
            group = ServiceGroup(services: [presence.sender, presence], logger: quiet)
        }
    }

    /// One client: it reconnects again and again, now to this node, now to that one; sometimes its old connection ends
    /// first, sometimes the new claim displaces it and the old node hears of it a moment later.
    private func live(
        _ client: ClientID, on nodes: [TellingNode], stays: Bool, chance: inout SplitMix
    ) async throws -> Epoch {
        var current: (node: TellingNode, identity: SessionIdentity)?
        var last = Epoch.none
        for _ in 1...Self.reconnects {
            if let ending = current, Bool.random(using: &chance) {
                ending.node.desk.release(ending.identity, endedFor: .connectionLost)
                try await pause(upTo: 40, &chance)
                current = nil
            }
            let node = nodes[Int.random(in: 0...1, using: &chance)]
            let identity = SessionIdentity(
                client: client,
                route: Route(
                    device: .default, incarnation: node.incarnation,
                    session: SessionID(shard: 0, random: (chance.next(), chance.next())), epoch: .none),
                generation: .first, permissions: .none)
            guard case .granted(let epoch, let displaced, _) = try await node.desk.claim(identity, takesInbox: false)
            else {
                Issue.record("the store grants every claim")
                return last
            }
            last = epoch
            if let old = current {
                #expect(displaced.map(\.session) == [old.identity.session])
                try await pause(upTo: 10, &chance)
                old.node.desk.release(old.identity, endedFor: .replaced)
            }
            current = (node, identity.claimed(epoch))
            // From nothing to twice the settling time, mostly short.
            try await pause(upTo: Bool.random(using: &chance) ? 50 : 1_000, &chance)
        }
        if !stays, let current { current.node.desk.release(current.identity, endedFor: .clientLeft) }
        return last
    }

    /// Pauses are the input here, not a way to wait for something.
    private func pause(upTo milliseconds: Int64, _ chance: inout SplitMix) async throws {
        let time = Int64.random(in: 0...milliseconds, using: &chance)
        try await MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .milliseconds(time)) {}
            .futureResult.get()
    }

    @Test func noLateOfflineIsSentAfterTheOnlineOfAReconnect() async throws {
        var limits = Limits.default
        limits.displacementsMax = 1_000
        let neighbours = try Neighbours(limits: limits)
        try await WebhookReceiver().serving { receiver in
            let nodes = try ["n1", "n2"].map { try TellingNode($0, neighbours, receiver.url) }
            let services = nodes.map { node in Task { try await node.group.run() } }
            var chance = SplitMix.printed()
            let seeds = (0..<Self.clients).map { _ in chance.next() }
            let last = try await withThrowingTaskGroup(of: (Int, Epoch).self) { group in
                for (number, seed) in seeds.enumerated() {
                    group.addTask {
                        var chance = SplitMix(seed: seed)
                        return (
                            number,
                            try await live(
                                ClientID("c\(number)"), on: nodes, stays: number.isMultiple(of: 2), chance: &chance)
                        )
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let expected = Set(
                last.map { number, epoch in "c\(number) \(number.isMultiple(of: 2) ? "+" : "-")\(epoch)" })
            try await eventually("the last news of every client is the truth") {
                Set(lines(receiver).values.compactMap(\.last)).isSuperset(of: expected)
            }
            for node in nodes { await node.group.triggerGracefulShutdown() }
            for service in services { try await service.value }
            check(lines(receiver), expected)
        }
    }

    /// By client, in the order of arrival: "c1 +7" for its online under epoch 7.
    private func lines(_ receiver: WebhookReceiver) -> [String: [String]] {
        receiver.events.reduce(into: [:]) { lines, event in
            guard let client = event["client"] as? String, let epoch = event["epoch"] as? Int64 else { return }
            lines[client, default: []].append("\(client) \(event["type"] as? String == "online" ? "+" : "-")\(epoch)")
        }
    }

    private func check(_ lines: [String: [String]], _ expected: Set<String>) {
        #expect(Set(lines.values.compactMap(\.last)) == expected)
        #expect(lines.count == Self.clients)
        var told = 0
        for (client, lines) in lines {
            let news = lines.compactMap { line -> (isOnline: Bool, epoch: UInt64)? in
                let word = line.split(separator: " ")[1]
                return UInt64(word.dropFirst()).map { (word.hasPrefix("+"), $0) }
            }
            told += news.count
            #expect(Set(lines).count == lines.count, "\(client): each piece of news once")
            for (place, one) in news.enumerated() where !one.isOnline {
                let newer = news[..<place].contains { $0.isOnline && $0.epoch > one.epoch }
                #expect(!newer, "\(client): \(lines)")
            }
        }
        print("\(told) events told of \(Self.clients * Self.reconnects) sessions")
    }
}
