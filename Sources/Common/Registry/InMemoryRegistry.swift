import Synchronization

/// The registry of `windfire dev` and of tests: one instance, shared by all roles of one process. It keeps the whole
/// contract, the more-than-half rule included, so that what works on it works on ZooKeeper; the contract suite runs on
/// both.
///
/// `disconnect` and `reconnect` play an outage: lists stay, `register` waits, changes are kept and come out afterwards.
package final class InMemoryRegistry: Registry {
    private struct State {
        /// What is entered, by role: what a reading would find.
        var entries: [Member.Role: [NodeID: Member]] = [:]
        var views: [Member.Role: MemberView] = [:]
        var rereads: [Member.Role: Task<Void, Never>] = [:]
        var isAway = false
    }

    private let mutex: Mutex<State>
    private let lists: [Member.Role: LatestValue<Members>]
    // Room for some values: an expiry that is followed by other news at once must not be skipped.
    private let latestState = LatestValue<RegistryState>(.connected(afterExpiry: false), buffer: 64)

    /// - Parameter holdBack: see `MemberView`; tests shorten it.
    package init(holdBack: Duration = MemberView.defaultHoldBack) {
        var state = State()
        var lists: [Member.Role: LatestValue<Members>] = [:]
        for role in Member.Role.allCases {
            var view = MemberView(holdBack: holdBack)
            _ = view.read([], now: .now)
            state.views[role] = view
            lists[role] = LatestValue(view.members)
        }
        mutex = Mutex(state)
        self.lists = lists
    }

    // MARK: Entries

    package func register(_ member: Member, as role: Member.Role) async throws(WindfireError) {
        while true {
            guard await latestState.first(where: \.isConnected) != nil, !Task.isCancelled else {
                throw WindfireError(.notReady, "cancelled while waiting for the registry")
            }
            let result: Result<Bool, WindfireError> = mutex.withLock { state in
                guard !state.isAway else { return .success(false) }
                if let other = state.entries[role]?[member.id], other.incarnation != member.incarnation {
                    return .failure(.nodeIDTaken(by: other.incarnation))
                }
                state.entries[role, default: [:]][member.id] = member
                read(role, &state)
                return .success(true)
            }
            if try result.get() { return }
        }
    }

    package func update(_ member: Member, as role: Member.Role) async throws(WindfireError) {
        let result: Result<Void, WindfireError> = mutex.withLock { state in
            guard let entry = state.entries[role]?[member.id] else { return .failure(.notRegistered(member.id)) }
            guard entry.incarnation == member.incarnation else {
                return .failure(.nodeIDTaken(by: entry.incarnation))
            }
            state.entries[role, default: [:]][member.id] = member
            read(role, &state)
            return .success(())
        }
        try result.get()
    }

    package func withdraw(_ id: NodeID, as role: Member.Role) async throws(WindfireError) {
        mutex.withLock { state in
            state.entries[role, default: [:]][id] = nil
            read(role, &state)
        }
    }

    // MARK: Reading

    package func members(_ role: Member.Role) -> Members { lists[role]?.value ?? .unknown }

    package func changes(_ role: Member.Role) -> AsyncStream<Members> {
        lists[role]?.stream() ?? AsyncStream { $0.finish() }
    }

    package var state: RegistryState { latestState.value }

    package func stateChanges() -> AsyncStream<RegistryState> { latestState.stream() }

    /// Takes the entries into the role's view, and comes back when something is held back. The lock is held, so lists
    /// leave in the order of the changes.
    private func read(_ role: Member.Role, _ state: inout State) {
        guard !state.isAway, var view = state.views[role] else { return }
        state.rereads.removeValue(forKey: role)?.cancel()
        let action = view.read(Array(state.entries[role, default: [:]].values), now: .now)
        state.views[role] = view
        lists[role]?.set(view.members)
        guard case .readAgain(let until, _) = action else { return }
        state.rereads[role] = Task { [weak self] in
            try? await Task.sleep(until: until, clock: .continuous)
            guard !Task.isCancelled else { return }
            self?.mutex.withLock { self?.read(role, &$0) }
        }
    }

    // MARK: Life

    /// Until cancelled; then every entry is withdrawn.
    package func run() async throws {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        mutex.withLock { state in
            for role in Member.Role.allCases {
                state.entries[role] = [:]
                read(role, &state)
            }
        }
    }

    /// The registry goes away: nothing is read or entered until `reconnect`.
    package func disconnect() {
        mutex.withLock { state in
            state.isAway = true
            for (role, task) in state.rereads {
                task.cancel()
                state.views[role]?.lostSight()
            }
            state.rereads = [:]
            latestState.set(.disconnected)
        }
    }

    /// The registry is back, with the old session or with a new one. What was changed meanwhile comes out now.
    package func reconnect(afterExpiry: Bool) {
        mutex.withLock { state in
            state.isAway = false
            latestState.set(.connected(afterExpiry: afterExpiry))
            for role in Member.Role.allCases { read(role, &state) }
        }
    }
}
