import Common
import Synchronization

/// A route store of which only generations and loads matter here, and which can be away.
final class FakeRoutes: RouteStore {
    private struct State {
        var generations: [ClientID: Generation] = [:]
        var loads: [NodeID: NodeLoad] = [:]
        var isAway = false
    }

    private let state = Mutex(State())

    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }

    func set(_ load: NodeLoad) { state.withLock { $0.loads[load.incarnation.node] = load } }

    private func answer<Value: Sendable>(_ body: (inout sending State) -> Value) throws(WindfireError) -> Value {
        let result: Value? = state.withLock { state in state.isAway ? nil : body(&state) }
        guard let result else { throw WindfireError(.routesUnavailable, "away") }
        return result
    }

    func generation(of client: ClientID) async throws(WindfireError) -> Generation {
        try answer { $0.generations[client] ?? .first }
    }

    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation {
        try answer { state in
            let next = Generation((state.generations[client] ?? .first).value + 1)
            state.generations[client] = next
            return next
        }
    }

    func loads() async throws(WindfireError) -> [NodeID: NodeLoad] { try answer { $0.loads } }

    // What AuthService has no business with.

    private var unused: WindfireError { WindfireError(.notSupported, "not asked by AuthService") }
    func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult { throw unused }
    func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult {
        throw unused
    }
    func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool { throw unused }
    func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] { throw unused }
    func announce(_ incarnation: Incarnation) async throws(WindfireError) { throw unused }
    func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation> { throw unused }
    func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int { throw unused }
    func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int] { throw unused }
    func sessions(of incarnation: Incarnation, in bucket: Bucket) async throws(WindfireError) -> [ClientRoute] {
        throw unused
    }
    func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage { throw unused }
    func reportLoad(_ load: NodeLoad) async throws(WindfireError) { set(load) }
    func acquireLease(_ name: String, holder: Incarnation, for duration: Duration) async throws(WindfireError) -> Bool {
        throw unused
    }
}
