import Common
import Foundation
import NodeRPC
import Synchronization
import TestKit

// What a publisher stands on, written by the test: a registry, a store of topics, and nodes that delay and fail.

func topic(_ text: String) -> Topic { Topic(unchecked: text) }

func incarnation(_ name: String, life: UInt64 = 1) -> Incarnation {
    Incarnation(node: NodeID(unchecked: name), life: life)
}

func member(_ name: String, life: UInt64 = 1, state: Member.State = .up) -> Member {
    Member(
        incarnation: incarnation(name, life: life), state: state, capacity: 1_000,
        endpoints: Endpoints(grpc: "\(name):1"), version: "1", startedAt: 0)
}

func message(_ name: String, bytes: Int = 1) -> TopicMessage {
    TopicMessage(
        id: MessageID(unchecked: name), timestampMilliseconds: 1_700_000_000_000,
        data: [UInt8](repeating: UInt8(ascii: "1"), count: bytes))
}

final class FixedRegistry: Registry {
    private let now: Mutex<(members: Members, state: RegistryState)>

    init(_ members: Members) { now = Mutex((members, .connected(afterExpiry: false))) }
    convenience init(_ members: [Member]) { self.init(Members(members)) }

    func set(_ members: [Member]) { now.withLock { $0.members = Members(members) } }
    func set(_ state: RegistryState) { now.withLock { $0.state = state } }

    func members(_ role: Member.Role) -> Members { now.withLock { $0.members } }
    var state: RegistryState { now.withLock { $0.state } }

    // Not asked by a publisher.
    func register(_ member: Member, as role: Member.Role) async throws(WindfireError) {}
    func update(_ member: Member, as role: Member.Role) async throws(WindfireError) {}
    func withdraw(_ id: NodeID, as role: Member.Role) async throws(WindfireError) {}
    func changes(_ role: Member.Role) -> AsyncStream<Members> { AsyncStream { $0.finish() } }
    func stateChanges() -> AsyncStream<RegistryState> { AsyncStream { $0.finish() } }
    func run() async throws {}
}

/// A place where calls stop until the test lets them go on.
final class Gate: Sendable {
    private let state = Mutex((isOpen: true, waiting: [CheckedContinuation<Void, Never>]()))

    func close() { state.withLock { $0.isOpen = false } }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func pass() async {
        await withCheckedContinuation { one in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(one) }
                return state.isOpen
            }
            if isOpen { one.resume() }
        }
    }
}

/// Chance for the doubles, which are asked from many tasks: yields a random number of times.
final class Jitter: Sendable {
    private let source: Mutex<SplitMix>
    private let most: Int

    init(_ source: SplitMix, most: Int) {
        self.source = Mutex(source)
        self.most = most
    }

    func number(below bound: Int) -> Int { source.withLock { Int.random(in: 0..<bound, using: &$0) } }

    func pass() async {
        guard most > 0 else { return }
        for _ in 0..<number(below: most) { await Task.yield() }
    }
}

final class ScriptedTopics: TopicStore, RouteStore {
    struct State {
        var nodes: [Topic: Set<Incarnation>] = [:]
        var rows: [PatternDirectory.Row] = []
        var version: UInt64 = 0
        var failure: WindfireError?
        var patternsFailure: WindfireError?
        var offset: UInt64 = 0
        var asked: [[String]] = []
        var readings = 0
        var forgotten: [(nodes: Set<Incarnation>, topic: Topic?)] = []
        var loads: [NodeID: NodeLoad] = [:]
    }

    let state = Mutex(State())
    let jitter: Jitter?
    /// Of single topics; look-ups stop there before they read anything.
    let gates: [Topic: Gate]
    let patternsGate = Gate()

    init(jitter: Jitter? = nil, gates: [Topic: Gate] = [:]) {
        self.jitter = jitter
        self.gates = gates
    }

    func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) async throws(WindfireError) -> TopicReach {
        state.withLock { $0.asked.append(messages.map(\.id.text)) }
        await jitter?.pass()
        await gates[topic]?.pass()
        let result: Result<TopicReach, WindfireError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            let positions = (history == nil ? [] : messages).map { _ in
                state.offset += 1
                return HistoryPosition(epoch: 7, offset: state.offset)
            }
            return .success(
                TopicReach(
                    nodes: state.nodes[topic] ?? [], patternsVersion: state.version, positions: positions))
        }
        await jitter?.pass()
        return try result.get()
    }

    func announcedPatterns() async throws(WindfireError) -> (rows: [PatternDirectory.Row], version: UInt64) {
        let result: Result<(rows: [PatternDirectory.Row], version: UInt64), WindfireError> = state.withLock { state in
            state.readings += 1
            if let failure = state.patternsFailure { return .failure(failure) }
            return .success((state.rows, state.version))
        }
        await patternsGate.pass()
        return try result.get()
    }

    func forget(_ nodes: Set<Incarnation>, in topic: Topic?) async throws(WindfireError) {
        state.withLock { $0.forgotten.append((nodes, topic)) }
    }

    func loads() async throws(WindfireError) -> [NodeID: NodeLoad] {
        let result: Result<[NodeID: NodeLoad], WindfireError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            return .success(state.loads)
        }
        return try result.get()
    }

    // Not asked by a publisher.
    func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) async -> [Result<Void, WindfireError>] { changes.map { _ in .success(()) } }
    func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) async throws(WindfireError) -> HistoryPage<TopicMessage> {
        HistoryPage(epoch: 7, first: 1, head: 0, entries: [], isMore: false)
    }
    func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult { .revoked }
    func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult { .kept }
    func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool { false }
    func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] { clients.map { _ in [] } }
    func announce(_ incarnation: Incarnation) async throws(WindfireError) {}
    func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation> { [] }
    func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int { 0 }
    func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int] { [:] }
    func sessions(of incarnation: Incarnation, in bucket: Bucket) async throws(WindfireError) -> [ClientRoute] { [] }
    func generation(of client: ClientID) async throws(WindfireError) -> Generation { .first }
    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation { .first }
    func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage {
        RevocationPage(revoked: [:], next: cursor)
    }
    func reportLoad(_ load: NodeLoad) async throws(WindfireError) {}
    func acquireLease(
        _ name: String, holder: Incarnation, for duration: Duration
    ) async throws(WindfireError) -> Bool { true }
}

/// Nodes that put the calls of each link right, as a push server does, and keep what they handed over, in order.
final class OrderingNodes: NodeCaller {
    struct State {
        var received: [NodeID: [Publication]] = [:]
        var next: [UInt64: UInt64] = [:]
        var held: [UInt64: [UInt64: [Publication]]] = [:]
        var batches: [(node: NodeID, batch: PublishBatch)] = []
        var failures: [NodeID: WindfireError] = [:]
        var underWay: [NodeID: Int] = [:]
        var underWayMost = 0
    }

    let state = Mutex(State())
    let jitter: Jitter?
    let gates: [NodeID: Gate]
    /// Of a hundred calls, so many fail before they reach the node.
    let lostOfHundred: Int

    init(jitter: Jitter? = nil, gates: [NodeID: Gate] = [:], lostOfHundred: Int = 0) {
        self.jitter = jitter
        self.gates = gates
        self.lostOfHundred = lostOfHundred
    }

    func fail(_ node: String, _ code: FailureCode?) {
        state.withLock { $0.failures[NodeID(unchecked: node)] = code.map { WindfireError($0, "scripted") } }
    }

    /// Ids of the messages, in the order in which the node handed them over.
    func handed(_ node: String, _ topic: Topic? = nil) -> [String] {
        state.withLock { state in
            (state.received[NodeID(unchecked: node)] ?? []).compactMap { publication in
                topic == nil || publication.audience == topic.map { .topic($0) } ? publication.message.id.text : nil
            }
        }
    }

    func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
        let failure: WindfireError? = state.withLock { state in
            state.batches.append((member.id, batch))
            state.underWay[member.id, default: 0] += 1
            state.underWayMost = max(state.underWayMost, state.underWay[member.id] ?? 0)
            return state.failures[member.id]
        }
        defer { state.withLock { $0.underWay[member.id, default: 0] -= 1 } }
        await jitter?.pass()
        await gates[member.id]?.pass()
        if let failure { throw failure }
        if let jitter, lostOfHundred > 0, jitter.number(below: 100) < lostOfHundred {
            throw WindfireError(.nodeUnavailable, "lost")
        }
        state.withLock { state in
            state.held[batch.link, default: [:]][batch.number] = batch.publications
            while let next = state.held[batch.link]?.removeValue(forKey: state.next[batch.link, default: 1]) {
                state.next[batch.link, default: 1] += 1
                state.received[member.id, default: []] += next
            }
        }
        await jitter?.pass()
        return batch.publications.map { _ in PublishOutcome(delivered: 2, refused: 1) }
    }

    // Not asked by a publisher.
    func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] { [] }
    func kick(_ sessions: [SessionID], for reason: CloseReason, on member: Member) async throws(WindfireError) -> Int {
        0
    }
    func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
        TopicFigures(subscribers: 0)
    }
}
