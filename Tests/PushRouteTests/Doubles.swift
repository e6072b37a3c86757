import Common
import Logging
import NodeRPC
import Synchronization

// A registry, a route store and nodes whose answers the test writes.

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func makeMember(_ id: String, life: UInt64 = 1, state: Member.State = .up) -> Member {
    Member(
        incarnation: Incarnation(node: NodeID(unchecked: id), life: life), state: state, capacity: 1_000,
        endpoints: Endpoints(ws: "ws://\(id)", grpc: "\(id):1"), version: "1.0", startedAt: 1_700_000_000)
}

/// Session ids of tests are small numbers.
func session(_ number: UInt64) -> SessionID { SessionID(high: 0, low: number) }

func makeRoute(_ member: Member, _ number: UInt64, device: String = "default", epoch: UInt64 = 1) -> Route {
    Route(
        device: DeviceID(unchecked: device), incarnation: member.incarnation, session: session(number),
        epoch: Epoch(epoch))
}

func client(_ name: String) -> ClientID { ClientID(unchecked: name) }

final class FixedRegistry: Registry {
    private let lists: Mutex<[Member.Role: Members]>
    private let stateNow = Mutex(RegistryState.connected(afterExpiry: false))
    private let latest = Mutex<[Member.Role: [NodeID: Member]]>([:])

    init(_ members: [Member]) { lists = Mutex([.push: Members(members)]) }

    func set(_ members: Members) { lists.withLock { $0[.push] = members } }
    func set(_ state: RegistryState) { stateNow.withLock { $0 = state } }
    func registered(_ role: Member.Role) -> [NodeID: Member] { latest.withLock { $0[role] ?? [:] } }

    func register(_ member: Member, as role: Member.Role) async throws(WindfireError) {
        latest.withLock { $0[role, default: [:]][member.id] = member }
    }
    func update(_ member: Member, as role: Member.Role) async throws(WindfireError) {}
    func withdraw(_ id: NodeID, as role: Member.Role) async throws(WindfireError) {
        latest.withLock { $0[role]?[id] = nil }
    }
    func members(_ role: Member.Role) -> Members { lists.withLock { $0[role] ?? .unknown } }
    func changes(_ role: Member.Role) -> AsyncStream<Members> { AsyncStream { $0.finish() } }
    var state: RegistryState { stateNow.withLock { $0 } }
    func stateChanges() -> AsyncStream<RegistryState> { AsyncStream { $0.finish() } }
    func run() async throws {}
}

actor ScriptedRouteStore: RouteStore {
    private(set) var routes: [ClientID: [Route]] = [:]
    private(set) var failure: WindfireError?
    /// Changes to come: the first is made after the first look-up, and so on.
    private var afterLookups: [@Sendable (isolated ScriptedRouteStore) -> Void] = []
    private(set) var lookups: [Int] = []
    private(set) var buried: [Incarnation] = []
    private var announced: Set<Incarnation> = []
    private var reports: [NodeID: NodeLoad] = [:]
    private var leaseHolder: Incarnation?
    /// What the inboxes answer; see `InboxDoubles`.
    var inboxes = InboxScript()
    /// What topics answer; see `TopicDoubles`.
    var topics = TopicScript()

    func set(_ client: ClientID, _ routes: [Route]) { self.routes[client] = routes }
    func set(_ routes: [ClientID: [Route]]) { self.routes = routes }
    func fail(with failure: WindfireError?) { self.failure = failure }
    func afterLookup(_ change: @escaping @Sendable (isolated ScriptedRouteStore) -> Void) {
        afterLookups.append(change)
    }
    func giveLease(to holder: Incarnation) { leaseHolder = holder }

    func check() throws(WindfireError) { if let failure { throw failure } }

    func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] {
        try check()
        lookups.append(clients.count)
        let located = clients.map { routes[$0] ?? [] }
        if !afterLookups.isEmpty { afterLookups.removeFirst()(self) }
        return located
    }

    func announce(_ incarnation: Incarnation) async throws(WindfireError) { announced.insert(incarnation) }
    func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation> {
        try check()
        return announced
    }
    func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int {
        buried.append(incarnation)
        announced.remove(incarnation)
        return 7
    }
    func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int] {
        try check()
        return Dictionary(
            routes.flatMap { client, routes in
                routes.filter { $0.incarnation == incarnation }.map { _ in (Bucket(of: client), 1) }
            }, uniquingKeysWith: +)
    }
    func loads() async throws(WindfireError) -> [NodeID: NodeLoad] {
        try check()
        return reports
    }
    func reportLoad(_ load: NodeLoad) async throws(WindfireError) { reports[load.incarnation.node] = load }
    func acquireLease(
        _ name: String, holder: Incarnation, for duration: Duration
    ) async throws(WindfireError) -> Bool {
        if leaseHolder == nil { leaseHolder = holder }
        return leaseHolder == holder
    }

    // Not asked by this role.
    func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult { .revoked }
    func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult { .kept }
    func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool { false }
    func sessions(of incarnation: Incarnation, in bucket: Bucket) async throws(WindfireError) -> [ClientRoute] { [] }
    func generation(of client: ClientID) async throws(WindfireError) -> Generation { .first }
    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation { .first }
    func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage {
        RevocationPage(revoked: [:], next: cursor)
    }
}

/// Nodes that write to every session but those the test names.
final class ScriptedNodes: NodeCaller {
    struct State {
        var deliveries: [(node: NodeID, delivery: Delivery)] = []
        var kicks: [(node: NodeID, sessions: [SessionID], reason: CloseReason)] = []
        var outcomes: [SessionID: DeliveryOutcome] = [:]
        var failures: [NodeID: WindfireError] = [:]
        var batches: [(node: NodeID, batch: PublishBatch)] = []
        var subscribers: [NodeID: UInt32] = [:]
    }
    private let state = Mutex(State())

    func answer(_ outcome: DeliveryOutcome, for session: SessionID) {
        state.withLock { $0.outcomes[session] = outcome }
    }
    func fail(_ node: String, _ code: FailureCode) {
        state.withLock { $0.failures[NodeID(unchecked: node)] = WindfireError(code, "scripted") }
    }

    var deliveries: [(node: NodeID, delivery: Delivery)] { state.withLock { $0.deliveries } }
    var kicks: [(node: NodeID, sessions: [SessionID], reason: CloseReason)] { state.withLock { $0.kicks } }

    var batches: [(node: NodeID, batch: PublishBatch)] { state.withLock { $0.batches } }
    func set(_ node: String, subscribers: UInt32) {
        state.withLock { $0.subscribers[NodeID(unchecked: node)] = subscribers }
    }

    /// Every publication is handed to as many sessions as the node has subscribers, and one more has no room.
    func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
        let result: Result<[PublishOutcome], WindfireError> = state.withLock { state in
            state.batches.append((member.id, batch))
            if let failure = state.failures[member.id] { return .failure(failure) }
            let count = state.subscribers[member.id] ?? 0
            return .success(batch.publications.map { _ in PublishOutcome(delivered: count, refused: 1) })
        }
        return try result.get()
    }

    func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
        let result: Result<TopicFigures, WindfireError> = state.withLock { state in
            if let failure = state.failures[member.id] { return .failure(failure) }
            return .success(TopicFigures(subscribers: state.subscribers[member.id] ?? 0))
        }
        return try result.get()
    }

    /// "n1:1,2" for each call, sorted.
    var calls: [String] {
        deliveries.map { call in
            "\(call.node):\(call.delivery.sessions.map { "\($0.low)" }.sorted().joined(separator: ","))"
        }.sorted()
    }

    func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] {
        let result: Result<[DeliveryOutcome], WindfireError> = state.withLock { state in
            state.deliveries.append((member.id, delivery))
            if let failure = state.failures[member.id] { return .failure(failure) }
            return .success(delivery.sessions.map { state.outcomes[$0] ?? .written })
        }
        return try result.get()
    }

    func kick(_ sessions: [SessionID], for reason: CloseReason, on member: Member) async throws(WindfireError) -> Int {
        let result: Result<Int, WindfireError> = state.withLock { state in
            state.kicks.append((member.id, sessions, reason))
            if let failure = state.failures[member.id] { return .failure(failure) }
            return .success(sessions.count)
        }
        return try result.get()
    }
}
