import Common
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import ServiceLifecycle
import Synchronization

/// Calls nodes over gRPC: one HTTP/2 connection per node, all calls multiplexed on it. Works from the first call on;
/// `run` gives up connections to nodes that are gone, and all of them at the end.
package final class GRPCNodeCaller: NodeCaller, Service {
    package struct Configuration: Sendable {
        /// From the call to its answer, connecting included.
        package var deadline: Duration = .seconds(5)
        /// Nodes connected at once.
        package var connectionsMax = 1_024
        /// How long the connection to a node that nobody calls stays open.
        package var idleMax: Duration = .seconds(300)
        package var security: TransportSecurity = .plaintext
        package var limits: Limits = .default

        package init() {}
    }

    private let configuration: Configuration
    private let secret: SharedSecret
    private let logger: Logger
    private let connections: Mutex<NodeConnectionTable<NodeConnection>>

    package init(secret: SharedSecret, configuration: Configuration = Configuration(), logger: Logger) {
        self.secret = secret
        self.configuration = configuration
        self.logger = logger
        connections = Mutex(
            NodeConnectionTable(idleMax: configuration.idleMax, countMax: configuration.connectionsMax))
    }

    deinit { for connection in connections.withLock({ $0.close() }) { connection.close() } }

    /// A list longer than `Limits.sessionsPerDeliverMax` travels in several calls, one after the other; when one of
    /// them fails, what became of the whole list counts as unknown.
    package func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] {
        let connection = try connection(to: member)
        var request = Windfire_Node_V1_DeliverRequest()
        request.incarnation = member.incarnation.description
        request.messageID = delivery.message.text
        request.timestampMs = delivery.timestampMilliseconds
        request.data = Data(delivery.data)
        request.from = delivery.from?.text ?? ""
        request.collapseKey = delivery.collapseKey ?? ""
        request.traceID = delivery.traceID
        request.isChunk = delivery.isChunk

        var outcomes: [DeliveryOutcome] = []
        outcomes.reserveCapacity(delivery.sessions.count)
        for sessions in slices(of: delivery.sessions) {
            request.sessions = PackedSessions.pack(sessions)
            if !delivery.places.isEmpty { request.places = PackedPlaces.pack(delivery.places[sessions.indices]) }
            let reply: Windfire_Node_V1_DeliverReply
            do {
                reply = try await connection.stub.deliver(request, options: options)
            } catch {
                throw Self.failure(error)
            }
            guard reply.outcomes.count == sessions.count else {
                throw WindfireError(.nodeUnavailable, "the node's answer does not match the call")
            }
            for byte in reply.outcomes {
                guard let outcome = DeliveryOutcome(rawValue: byte) else {
                    throw WindfireError(.nodeUnavailable, "the node's answer has an unknown outcome")
                }
                outcomes.append(outcome)
            }
        }
        return outcomes
    }

    package func kick(
        _ sessions: [SessionID], for reason: CloseReason, on member: Member
    ) async throws(WindfireError) -> Int {
        let connection = try connection(to: member)
        var request = Windfire_Node_V1_KickRequest()
        request.incarnation = member.incarnation.description
        request.reason = UInt32(reason.number)
        var closed = 0
        for slice in slices(of: sessions) {
            request.sessions = PackedSessions.pack(slice)
            do {
                closed += Int(try await connection.stub.kick(request, options: options).closed)
            } catch {
                throw Self.failure(error)
            }
        }
        return closed
    }

    /// How many nodes are connected, or being connected.
    package var connectionCount: Int { connections.withLock { $0.count } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: min(self.configuration.idleMax, .seconds(10)))) != nil {
                let idle = self.connections.withLock { $0.sweep(now: .now) }
                for connection in idle { connection.close() }
            }
        }
        for connection in connections.withLock({ $0.close() }) { connection.close() }
    }

    var options: CallOptions {
        var options = CallOptions.defaults
        options.timeout = configuration.deadline
        return options
    }

    private func slices(of sessions: [SessionID]) -> [ArraySlice<SessionID>] {
        let size = configuration.limits.sessionsPerDeliverMax
        return stride(from: 0, to: sessions.count, by: size).map { sessions[$0..<min($0 + size, sessions.count)] }
    }

    func connection(to member: Member) throws(WindfireError) -> NodeConnection {
        guard let endpoint = member.endpoints.grpc else {
            throw WindfireError(.nodeUnavailable, "the node announces no gRPC endpoint")
        }
        // The closure cannot throw out of `withLock` with a type, so the result travels as a value.
        let result: Result<NodeConnectionTable<NodeConnection>.Use, WindfireError> = connections.withLock { table in
            do throws(WindfireError) {
                return .success(
                    try table.use(member.incarnation, at: endpoint, now: .now) { () throws(WindfireError) in
                        try NodeConnection(to: endpoint, secret: secret, security: configuration.security)
                    })
            } catch {
                return .failure(error)
            }
        }
        switch try result.get() {
        case .use(let connection, let displaced):
            displaced?.close()
            return connection
        case .refused:
            throw WindfireError(.nodeUnavailable, "this process is shutting down")
        }
    }

    /// Callers decide by three cases: asked the wrong life, could not ask, asked wrongly.
    static func failure(_ error: any Error) -> WindfireError {
        guard let error = error as? RPCError else {
            return WindfireError(.nodeUnavailable, "the call to the node did not complete", cause: error)
        }
        switch error.code {
        case .failedPrecondition:
            return WindfireError(.notFound, "the node is another incarnation now", cause: error)
        case .aborted:
            return WindfireError(.conflict, "the call came too late to be in order", cause: error)
        case .invalidArgument, .unimplemented:
            return WindfireError(.internalError, "the node does not understand the call", cause: error)
        case .unauthenticated:
            return WindfireError(.nodeUnavailable, "the node refuses the shared secret", cause: error)
        case .deadlineExceeded:
            return WindfireError(.nodeUnavailable, "the node did not answer in time", cause: error)
        default:
            return WindfireError(.nodeUnavailable, "the node cannot be reached", cause: error)
        }
    }
}
