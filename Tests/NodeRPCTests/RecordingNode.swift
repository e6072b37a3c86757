import Common
import Logging
import NodeRPC
import Synchronization

/// A node in memory: remembers what it was asked and answers by rule.
final class RecordingNode: NodeService {
    let incarnation: Incarnation
    private let outcome: @Sendable (SessionID) -> DeliveryOutcome
    private struct Asked {
        var deliveries: [Delivery] = []
        var kicks: [(sessions: [SessionID], reason: CloseReason)] = []
        var batches: [PublishBatch] = []
    }

    private let asked = Mutex(Asked())

    init(
        _ name: String = "n1", life: UInt64 = 1,
        outcome: @escaping @Sendable (SessionID) -> DeliveryOutcome = { _ in .written }
    ) throws {
        incarnation = Incarnation(node: try NodeID(name), life: life)
        self.outcome = outcome
    }

    var deliveries: [Delivery] { asked.withLock { $0.deliveries } }
    var kicks: [(sessions: [SessionID], reason: CloseReason)] { asked.withLock { $0.kicks } }

    var batches: [PublishBatch] { asked.withLock { $0.batches } }

    func publish(_ batch: PublishBatch) async throws(WindfireError) -> [PublishOutcome] {
        asked.withLock { $0.batches.append(batch) }
        return batch.publications.map { PublishOutcome(delivered: UInt32($0.message.data.count), refused: 1) }
    }

    func figures(of topic: Topic) async -> TopicFigures { TopicFigures(subscribers: UInt32(topic.text.utf8.count)) }

    func deliver(_ delivery: Delivery) async -> [DeliveryOutcome] {
        asked.withLock { $0.deliveries.append(delivery) }
        return delivery.sessions.map(outcome)
    }

    func kick(_ sessions: [SessionID], for reason: CloseReason) async -> Int {
        asked.withLock { $0.kicks.append((sessions, reason)) }
        return sessions.count
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func makeSecret(_ text: String = "correct-horse-battery") throws -> SharedSecret { try SharedSecret(text) }

func makeMember(_ incarnation: Incarnation, at endpoint: String) -> Member {
    Member(incarnation: incarnation, capacity: 1_000, endpoints: Endpoints(grpc: endpoint), version: "1", startedAt: 0)
}

func makeSessions(_ count: Int) -> [SessionID] {
    (0..<UInt64(count)).map { SessionID(shard: UInt8($0 % 4), random: ($0, ~$0)) }
}

func makeDelivery(_ sessions: [SessionID], data: String = #"{"hi":1}"#) throws -> Delivery {
    Delivery(
        message: try MessageID("0190-abc"), timestampMilliseconds: 1_700_000_000_123, data: Array(data.utf8),
        sessions: sessions, from: try ClientID("älice"), collapseKey: "score",
        traceID: "4bf92f3577b34da6a3ce929d0e0e4736",
        places: sessions.indices.map { index in
            StoredPlace(
                position: StreamPosition(milliseconds: 1_700_000_000_123, sequence: UInt64(index) + 7),
                previous: index == 0 ? nil : StreamPosition(milliseconds: 1_600_000_000_000, sequence: UInt64(index)))
        },
        isChunk: true)
}

/// Runs a node's server on a free loopback port for as long as the body runs, and a caller of it.
func withServer<Result: Sendable>(
    of node: RecordingNode, secret: SharedSecret? = nil, limits: Limits = .default,
    _ body: @Sendable (Member) async throws -> Result
) async throws -> Result {
    let server = try NodeRPCServer(
        service: node, bind: HostPort(host: "127.0.0.1", port: 0), secret: try secret ?? makeSecret(), limits: limits,
        logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let address = try await server.boundAddress
        defer { group.cancelAll() }
        return try await body(makeMember(node.incarnation, at: address.description))
    }
}
