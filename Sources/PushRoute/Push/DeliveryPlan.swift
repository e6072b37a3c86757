import Common
import NodeRPC

/// One session that a message should reach, and which target it counts for.
struct PlannedSession: Hashable, Sendable {
    /// Index into the push's targets.
    let target: Int
    let route: Route
    /// For a stored message: where it lies in the target's inbox.
    var place: StoredPlace?
}

/// Who is to be called with what: routes grouped by the node that holds them. Pure.
///
/// Routes of incarnations that the registry does not list are ignored: nobody can be called there, and the janitor
/// removes them. A target whose routes are all of that kind is offline.
struct DeliveryPlan: Equatable, Sendable {
    struct Batch: Equatable, Sendable {
        let member: Member
        var sessions: [PlannedSession]
    }

    /// Sorted by node.
    private(set) var batches: [Batch] = []
    /// Routes that name an incarnation nobody knows.
    private(set) var ignoredRoutes = 0

    /// - Parameters:
    ///   - located: the answer of `RouteStore.locate`, one list per target, in the order of the targets.
    init(located: [[Route]], members: Members) {
        self.init(
            located.enumerated().flatMap { target, routes in
                routes.map { PlannedSession(target: target, route: $0) }
            }, members: members)
    }

    init(_ sessions: [PlannedSession], members: Members) {
        var planner = Planner(members: members)
        for session in sessions { planner.add(session) }
        (batches, ignoredRoutes) = planner.finish()
    }

    private init(batches: [Batch], ignoredRoutes: Int) {
        self.batches = batches
        self.ignoredRoutes = ignoredRoutes
    }

    /// The second and last round: where the open sessions' targets are now, leaving out what was tried and what was
    /// settled.
    /// - Parameters:
    ///   - tried: every session of the first round that concerns these targets.
    ///   - settled: devices that took the message or refused it; should one have moved meanwhile, it does not get a
    ///     second copy.
    ///   - targets: what was looked up again; `located` has one list for each.
    static func retry(
        targets: [Int], located: [[Route]], tried: Set<SessionID>, settled: Set<TargetDevice>, members: Members
    ) -> DeliveryPlan {
        precondition(targets.count == located.count, "a look-up answers once per client")
        var planner = Planner(members: members)
        for (target, routes) in zip(targets, located) {
            for route in routes
            where !tried.contains(route.session)
                && !settled.contains(TargetDevice(target: target, device: route.device))
            {
                planner.add(PlannedSession(target: target, route: route))
            }
        }
        let (batches, ignored) = planner.finish()
        return DeliveryPlan(batches: batches, ignoredRoutes: ignored)
    }

    private struct Planner {
        let members: Members
        var indexByNode: [NodeID: Int] = [:]
        var batches: [Batch] = []
        var ignored = 0

        init(members: Members) { self.members = members }

        mutating func add(_ session: PlannedSession) {
            let incarnation = session.route.incarnation
            if let index = indexByNode[incarnation.node] {
                guard batches[index].member.incarnation == incarnation else { return ignored += 1 }
                batches[index].sessions.append(session)
            } else if let member = members.byID[incarnation.node], member.incarnation == incarnation {
                indexByNode[incarnation.node] = batches.count
                batches.append(Batch(member: member, sessions: [session]))
            } else {
                ignored += 1
            }
        }

        func finish() -> ([Batch], Int) { (batches.sorted { $0.member.id < $1.member.id }, ignored) }
    }
}

/// One device of one target.
struct TargetDevice: Hashable, Sendable {
    let target: Int
    let device: DeviceID
}
