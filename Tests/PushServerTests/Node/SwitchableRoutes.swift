import Common
import NIOConcurrencyHelpers

/// The route store in memory, which can go away, come back, and lose everything.
final class SwitchableRoutes: RouteStore, InboxStore, TopicStore {
    private let state: NIOLockedValueBox<(store: InMemoryRouteStore, isAway: Bool)>
    private let limits: Limits

    init(limits: Limits) {
        self.limits = limits
        state = NIOLockedValueBox((InMemoryRouteStore(limits: limits), false))
    }

    func goAway() { state.withLockedValue { $0.isAway = true } }
    func comeBack() { state.withLockedValue { $0.isAway = false } }
    func wipe() { state.withLockedValue { $0.store = InMemoryRouteStore(limits: limits) } }

    private func store() throws(WindfireError) -> InMemoryRouteStore {
        let (store, isAway) = state.withLockedValue { $0 }
        guard !isAway else { throw WindfireError(.routesUnavailable, "switched off") }
        return store
    }

    func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult { try await store().claim(claim) }
    func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult {
        try await store().reclaim(entry, generation: generation)
    }
    func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool { try await store().release(entry) }
    func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] { try await store().locate(clients) }
    func announce(_ incarnation: Incarnation) async throws(WindfireError) { try await store().announce(incarnation) }
    func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation> {
        try await store().announcedIncarnations()
    }
    func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int { try await store().bury(incarnation) }
    func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int] {
        try await store().sessionCounts(of: incarnation)
    }
    func sessions(of incarnation: Incarnation, in bucket: Bucket) async throws(WindfireError) -> [ClientRoute] {
        try await store().sessions(of: incarnation, in: bucket)
    }
    func generation(of client: ClientID) async throws(WindfireError) -> Generation {
        try await store().generation(of: client)
    }
    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation { try await store().revoke(client) }
    func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage {
        try await store().revocations(since: cursor)
    }
    func reportLoad(_ load: NodeLoad) async throws(WindfireError) { try await store().reportLoad(load) }
    func loads() async throws(WindfireError) -> [NodeID: NodeLoad] { try await store().loads() }
    func acquireLease(
        _ name: String, holder: Incarnation, for duration: Duration
    ) async throws(WindfireError) -> Bool {
        try await store().acquireLease(name, holder: holder, for: duration)
    }

    func store(_ message: StoredMessage, for clients: [ClientID], isRepeat: Bool) async -> [StoreResult] {
        guard let store = try? store() else {
            return clients.map { _ in .failed(WindfireError(.routesUnavailable, "switched off")) }
        }
        return await store.store(message, for: clients, isRepeat: isRepeat)
    }
    func readInbox(
        of client: ClientID, for device: DeviceID, after: StreamPosition?
    ) async throws(WindfireError) -> InboxPage {
        try await store().readInbox(of: client, for: device, after: after)
    }
    func acknowledge(_ acknowledgements: [Acknowledgement]) async -> [AcknowledgeResult] {
        guard let store = try? store() else {
            return acknowledgements.map { _ in .failed(WindfireError(.routesUnavailable, "switched off")) }
        }
        return await store.acknowledge(acknowledgements)
    }
    func inboxHeads(_ clients: [ClientID]) async throws(WindfireError) -> [StreamPosition?] {
        try await store().inboxHeads(clients)
    }
    func inboxSummary(of client: ClientID) async throws(WindfireError) -> InboxSummary {
        try await store().inboxSummary(of: client)
    }
    func purgeInbox(of client: ClientID) async throws(WindfireError) -> Int {
        try await store().purgeInbox(of: client)
    }
    func rememberPush(key: String, as id: String, for duration: Duration) async throws(WindfireError) -> String? {
        try await store().rememberPush(key: key, as: id, for: duration)
    }
    func forgetPush(key: String) async throws(WindfireError) { try await store().forgetPush(key: key) }
    func countAcknowledged(_ counts: [JobID: Int]) async throws(WindfireError) {
        try await store().countAcknowledged(counts)
    }
    func acknowledgedCounts(_ jobs: [JobID]) async throws(WindfireError) -> [Int] {
        try await store().acknowledgedCounts(jobs)
    }

    func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) async -> [Result<Void, WindfireError>] {
        guard let store = try? store() else {
            return changes.map { _ in .failure(WindfireError(.routesUnavailable, "switched off")) }
        }
        return await store.announce(changes, of: node)
    }
    func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) async throws(WindfireError) -> TopicReach {
        try await store().publish(messages, to: topic, keeping: history)
    }
    func announcedPatterns() async throws(WindfireError) -> (rows: [PatternDirectory.Row], version: UInt64) {
        try await store().announcedPatterns()
    }
    func forget(_ nodes: Set<Incarnation>, in topic: Topic?) async throws(WindfireError) {
        try await store().forget(nodes, in: topic)
    }
    func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) async throws(WindfireError) -> HistoryPage<TopicMessage> {
        try await store().history(of: topic, after: offset, countMax: countMax, keeping: history)
    }
}
