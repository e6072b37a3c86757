/// The route store of `windfire dev` and of tests: everything in this process, gone with it. It keeps the same promises
/// as the one on Redis, and the same contract suites run on it.
///
/// An actor, because every operation is short and none waits; the rules are in `RouteTable`, `InboxBox` and
/// `TopicTable`.
package actor InMemoryRouteStore: RouteStore {
    private struct Lease {
        var holder: Incarnation
        var endsAt: UInt64
    }

    /// Microseconds since 1970.
    let now: @Sendable () -> UInt64
    let limits: Limits
    let journal: (any InboxJournal)?
    var table: RouteTable
    var inboxes: InboxTable
    var pushes = PushMemory()
    var topics = TopicTable()
    private var revocationLog = RevocationLog()
    private var announced: Set<Incarnation> = []
    private var loadByNode: [NodeID: NodeLoad] = [:]
    private var leases: [String: Lease] = [:]

    /// - Parameters:
    ///   - now: the store's clock, microseconds since 1970.
    ///   - journal: where stored messages are written down; call `restore()` first. Without one they are gone with the
    ///     process, like everything else.
    package init(
        limits: Limits = .default, journal: (any InboxJournal)? = nil,
        now: @escaping @Sendable () -> UInt64 = WallClock.microseconds
    ) {
        self.now = now
        self.limits = limits
        self.journal = journal
        table = RouteTable(limits: limits)
        inboxes = InboxTable(limits: limits, isJournaled: journal != nil)
    }

    package func claim(_ claim: RouteClaim) -> ClaimResult {
        let now = now()
        let result = table.claim(claim, now: now)
        guard case .granted(let epoch, let displaced, _) = result else { return result }
        defer { noteChanges() }
        let connected = table.routes(of: claim.client).map(\.device)
        let page = inboxes.with(claim.client, now: now / 1000) { box, limits in
            box.open(
                claim.device, wantsInbox: claim.wantsInbox, connected: connected, now: now / 1000, limits)
        }
        return .granted(epoch, displaced: displaced, inbox: page)
    }

    package func reclaim(_ entry: ClientRoute, generation: Generation) -> ReclaimResult {
        table.reclaim(entry, generation: generation)
    }

    @discardableResult
    package func release(_ entry: ClientRoute) -> Bool { table.release(entry) }

    package func locate(_ clients: [ClientID]) -> [[Route]] { clients.map(table.routes(of:)) }

    package func announce(_ incarnation: Incarnation) { announced.insert(incarnation) }

    package func announcedIncarnations() -> Set<Incarnation> { announced }

    @discardableResult
    package func bury(_ incarnation: Incarnation) -> Int {
        let removed = table.bury(incarnation)
        announced.remove(incarnation)
        if loadByNode[incarnation.node]?.incarnation == incarnation { loadByNode[incarnation.node] = nil }
        return removed
    }

    package func sessionCounts(of incarnation: Incarnation) -> [Bucket: Int] { table.sessionCounts(of: incarnation) }

    package func sessions(of incarnation: Incarnation, in bucket: Bucket) -> [ClientRoute] {
        table.sessions(of: incarnation, in: bucket)
    }

    package func generation(of client: ClientID) -> Generation { table.generation(of: client) }

    package func revoke(_ client: ClientID) -> Generation {
        let generation = table.revoke(client)
        revocationLog.record(client, generation, now: now() / 1000)
        return generation
    }

    package func revocations(since cursor: RevocationCursor) -> RevocationPage {
        revocationLog.page(since: cursor, now: now() / 1000)
    }

    package func reportLoad(_ load: NodeLoad) { loadByNode[load.incarnation.node] = load }

    package func loads() -> [NodeID: NodeLoad] { loadByNode }

    package func acquireLease(_ name: String, holder: Incarnation, for duration: Duration) -> Bool {
        let now = now()
        if let lease = leases[name], lease.holder != holder, lease.endsAt > now { return false }
        leases[name] = Lease(holder: holder, endsAt: now + duration.wholeMicroseconds)
        return true
    }
}
