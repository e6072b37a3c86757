// What the Redis scripts do, as a value: the rules of claim, reclaim, release and bury, without a clock or a socket.
// The in-memory route store is this table behind an actor. Where a rule changes here it changes in
// `RedisStore/Scripts/` too; the contract suite in TestKit runs on both.

/// Every route of every client, with the rules that decide who is routed. Time comes in as an argument: microseconds of
/// one wall clock, the same for all calls.
struct RouteTable {
    private struct War {
        var displacements: Int
        var endsAt: UInt64
    }

    private let limits: Limits
    private var routes: [ClientID: [Route]] = [:]
    /// The last epoch given, by bucket.
    private var epochs: [Bucket: UInt64] = [:]
    private var members: [Incarnation: [Bucket: Set<Member>]] = [:]
    private var generations: [ClientID: Generation] = [:]
    /// Displacements of a client and device. Entries whose window has ended are dropped when their number has doubled.
    private var wars: [Member: War] = [:]
    private var warsAtLastSweep = 64

    /// One client and device: what a node's set counts.
    private struct Member: Hashable {
        let client: ClientID
        let device: DeviceID
    }

    init(limits: Limits) { self.limits = limits }

    // MARK: Writing

    mutating func claim(_ claim: RouteClaim, now: UInt64) -> ClaimResult {
        guard claim.generation >= generation(of: claim.client) else { return .revoked }
        let member = Member(client: claim.client, device: claim.device)
        var sessions = routes[claim.client] ?? []
        var displaced: [Route] = []

        if let index = sessions.firstIndex(where: { $0.device == claim.device }) {
            let present = sessions[index]
            if present.incarnation == claim.incarnation, present.session == claim.session {
                return .granted(present.epoch, displaced: [], inbox: .empty)
            }
            if let wait = noteDisplacement(of: member, now: now) { return .conflict(retryAfter: wait) }
            displaced.append(sessions.remove(at: index))
        }

        let bucket = Bucket(of: claim.client)
        let epoch = max((epochs[bucket] ?? 0) + 1, now)
        epochs[bucket] = epoch
        sessions.append(
            Route(
                device: claim.device, incarnation: claim.incarnation, session: claim.session, epoch: Epoch(epoch)))
        while sessions.count > max(1, limits.devicesPerClientMax) {
            displaced.append(sessions.remove(at: Self.oldest(of: sessions)))
        }
        for route in displaced { forget(route, of: claim.client) }
        routes[claim.client] = sessions
        members[claim.incarnation, default: [:]][bucket, default: []].insert(member)
        return .granted(Epoch(epoch), displaced: displaced, inbox: .empty)
    }

    mutating func reclaim(_ entry: ClientRoute, generation: Generation) -> ReclaimResult {
        guard generation >= self.generation(of: entry.client) else { return .revoked }
        let bucket = Bucket(of: entry.client)
        let route = entry.route
        var sessions = routes[entry.client] ?? []
        var displaced: [Route] = []

        if let index = sessions.firstIndex(where: { $0.device == route.device }) {
            let present = sessions[index]
            if present.incarnation == route.incarnation, present.session == route.session { return .kept }
            guard present.epoch < route.epoch else { return .superseded }
            displaced.append(sessions.remove(at: index))
        }
        sessions.append(route)
        while sessions.count > max(1, limits.devicesPerClientMax) {
            displaced.append(sessions.remove(at: Self.oldest(of: sessions)))
        }
        // More devices came meanwhile, all of them newer.
        guard sessions.contains(route) else { return .superseded }
        for route in displaced { forget(route, of: entry.client) }
        routes[entry.client] = sessions
        members[route.incarnation, default: [:]][bucket, default: []]
            .insert(Member(client: entry.client, device: route.device))
        epochs[bucket] = max(epochs[bucket] ?? 0, route.epoch.value)
        return .kept
    }

    mutating func release(_ entry: ClientRoute) -> Bool {
        guard var sessions = routes[entry.client],
            let index = sessions.firstIndex(where: {
                $0.device == entry.route.device && $0.incarnation == entry.route.incarnation
                    && $0.session == entry.route.session
            })
        else { return false }
        forget(sessions.remove(at: index), of: entry.client)
        routes[entry.client] = sessions.isEmpty ? nil : sessions
        return true
    }

    mutating func bury(_ incarnation: Incarnation) -> Int {
        var removed = 0
        for member in (members.removeValue(forKey: incarnation) ?? [:]).values.joined() {
            guard var sessions = routes[member.client] else { continue }
            let before = sessions.count
            sessions.removeAll { $0.device == member.device && $0.incarnation == incarnation }
            removed += before - sessions.count
            routes[member.client] = sessions.isEmpty ? nil : sessions
        }
        return removed
    }

    mutating func revoke(_ client: ClientID) -> Generation {
        let next = Generation(generation(of: client).value + 1)
        generations[client] = next
        return next
    }

    // MARK: Reading

    func routes(of client: ClientID) -> [Route] { routes[client] ?? [] }

    func generation(of client: ClientID) -> Generation { generations[client] ?? .first }

    func sessionCounts(of incarnation: Incarnation) -> [Bucket: Int] {
        (members[incarnation] ?? [:]).mapValues(\.count)
    }

    func sessions(of incarnation: Incarnation, in bucket: Bucket) -> [ClientRoute] {
        (members[incarnation]?[bucket] ?? []).compactMap { member in
            routes(of: member.client)
                .first { $0.device == member.device && $0.incarnation == incarnation }
                .map { ClientRoute(client: member.client, route: $0) }
        }
    }

    // MARK: Helpers

    /// Counts a displacement, unless there were too many: then nothing is counted and the rest of the window is given.
    private mutating func noteDisplacement(of member: Member, now: UInt64) -> Duration? {
        if var war = wars[member], war.endsAt > now {
            guard war.displacements < limits.displacementsMax else { return .microseconds(Int64(war.endsAt - now)) }
            war.displacements += 1
            wars[member] = war
        } else {
            guard limits.displacementsMax > 0 else { return limits.displacementWindow }
            wars[member] = War(displacements: 1, endsAt: now + limits.displacementWindow.wholeMicroseconds)
        }
        if wars.count > 2 * warsAtLastSweep {
            wars = wars.filter { $0.value.endsAt > now }
            warsAtLastSweep = max(64, wars.count)
        }
        return nil
    }

    private mutating func forget(_ route: Route, of client: ClientID) {
        let bucket = Bucket(of: client)
        members[route.incarnation]?[bucket]?.remove(Member(client: client, device: route.device))
        if members[route.incarnation]?[bucket]?.isEmpty == true { members[route.incarnation]?[bucket] = nil }
        if members[route.incarnation]?.isEmpty == true { members[route.incarnation] = nil }
    }

    private static func oldest(of sessions: [Route]) -> Int {
        sessions.indices.min { sessions[$0].epoch < sessions[$1].epoch } ?? sessions.startIndex
    }
}

extension Duration {
    /// Whole microseconds; 0 for negative durations.
    package var wholeMicroseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// Whole milliseconds; 0 for negative durations.
    package var wholeMilliseconds: UInt64 { wholeMicroseconds / 1000 }
}
