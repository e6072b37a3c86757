import Common
import Synchronization

/// What this process wants to stand in the registry, and who waits for it. Callers write it, the keeper of the entries
/// (`EntryKeeper`) reads it and reports back; `changed` wakes the keeper.
///
/// Bound: an entry for each role and node id of this process, so one or two outside of tests.
final class EntryTable: Sendable {
    struct Key: Hashable, Sendable {
        let role: Member.Role
        let id: NodeID
    }

    /// What the keeper is asked for.
    struct Wish: Equatable, Sendable {
        let key: Key
        let incarnation: Incarnation
        /// Nil: it shall go.
        let member: Member?
        /// Rises with each wish for the key.
        let revision: Int
    }

    /// For whom a wait is over when the connection is lost.
    enum Patience: Sendable {
        /// `register`: only a standing entry will do.
        case untilSettled
        /// `update`, `withdraw`: the wish is kept, that is enough.
        case whileConnected
    }

    private struct Waiter {
        let number: Int
        let revision: Int
        let patience: Patience
        let continuation: CheckedContinuation<Result<Void, WindfireError>, Never>
    }

    private struct Entry {
        var wish: Wish
        /// The newest revision that is settled: stands, or is gone. Below every wish's at first.
        var settled = 0
        var hasStood = false
        var waiters: [Waiter] = []
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var nextNumber = 1
        var isConnected = false
    }

    private let state = Mutex(State())
    let changed = Signal()

    // MARK: For callers

    /// - Returns: the revision to wait for.
    /// - Throws: `node_id_taken` when this very process has entered another incarnation of the node.
    func enter(_ member: Member, as role: Member.Role) throws(WindfireError) -> Int {
        try wish(member, as: role, mustExist: false)
    }

    /// - Throws: `not_found` when there is nothing to replace.
    func replace(_ member: Member, as role: Member.Role) throws(WindfireError) -> Int {
        try wish(member, as: role, mustExist: true)
    }

    private func wish(_ member: Member, as role: Member.Role, mustExist: Bool) throws(WindfireError) -> Int {
        let key = Key(role: role, id: member.id)
        let result: Result<Int, WindfireError> = state.withLock { state in
            let old = state.entries[key]
            if let present = old?.wish.member {
                guard present.incarnation == member.incarnation else {
                    return .failure(.nodeIDTaken(by: present.incarnation))
                }
            } else if mustExist {
                return .failure(.notRegistered(member.id))
            }
            let revision = state.nextNumber
            state.nextNumber += 1
            let wish = Wish(key: key, incarnation: member.incarnation, member: member, revision: revision)
            // Another life of the node in the same process, after a withdrawal that is still under way: it starts anew.
            if var entry = old {
                if entry.wish.incarnation != member.incarnation { entry.hasStood = false }
                entry.wish = wish
                state.entries[key] = entry
            } else {
                state.entries[key] = Entry(wish: wish)
            }
            return .success(revision)
        }
        let revision = try result.get()
        changed.fire()
        return revision
    }

    /// - Returns: the revision to wait for; nil when there is nothing to remove.
    func remove(_ key: Key) -> Int? {
        let (revision, failed) = state.withLock { state -> (Int?, [Waiter]) in
            guard var entry = state.entries[key] else { return (nil, []) }
            let revision = state.nextNumber
            state.nextNumber += 1
            entry.wish = Wish(key: key, incarnation: entry.wish.incarnation, member: nil, revision: revision)
            let failed = entry.waiters
            entry.waiters = []
            state.entries[key] = entry
            return (revision, failed)
        }
        for waiter in failed {
            waiter.continuation.resume(returning: .failure(WindfireError(.notReady, "the entry was withdrawn")))
        }
        changed.fire()
        return revision
    }

    /// Waits until the revision, or a newer one, is settled.
    func wait(for revision: Int, of key: Key, _ patience: Patience) async throws(WindfireError) {
        let number = state.withLock { state in
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        let result: Result<Void, WindfireError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let already: Result<Void, WindfireError>? = state.withLock { state in
                    // Set before `onCancel` runs, so one of the two always sees the other.
                    if Task.isCancelled { return .failure(Self.cancelled) }
                    guard let entry = state.entries[key] else {
                        // Gone is what a withdrawal waits for; a registration was given up, withdrawn or shut down.
                        return patience == .whileConnected
                            ? .success(()) : .failure(WindfireError(.notReady, "the entry was given up"))
                    }
                    guard entry.settled < revision else { return .success(()) }
                    if patience == .whileConnected, !state.isConnected { return .success(()) }
                    state.entries[key]?.waiters.append(
                        Waiter(number: number, revision: revision, patience: patience, continuation: continuation))
                    return nil
                }
                if let already { continuation.resume(returning: already) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                guard let place = state.entries[key]?.waiters.firstIndex(where: { $0.number == number }) else {
                    return nil
                }
                return state.entries[key]?.waiters.remove(at: place)
            }
            waiter?.continuation.resume(returning: .failure(Self.cancelled))
        }
        try result.get()
    }

    private static var cancelled: WindfireError {
        WindfireError(.notReady, "cancelled while waiting for the registry")
    }

    /// Whether the entry has stood since it was entered.
    func hasStood(_ key: Key) -> Bool { state.withLock { $0.entries[key]?.hasStood ?? false } }

    // MARK: For the keeper

    var wishes: [Wish] { state.withLock { $0.entries.values.map(\.wish) } }

    /// The wish has come true.
    func settled(_ wish: Wish) {
        let done: [Waiter] = state.withLock { state in
            guard var entry = state.entries[wish.key] else { return [] }
            entry.settled = max(entry.settled, wish.revision)
            if wish.member != nil { entry.hasStood = true }
            let done = entry.waiters.filter { $0.revision <= wish.revision }
            entry.waiters.removeAll { $0.revision <= wish.revision }
            // Gone, and nobody has wished for it again meanwhile.
            state.entries[wish.key] = wish.member == nil && entry.wish == wish ? nil : entry
            return done
        }
        for waiter in done { waiter.continuation.resume(returning: .success(())) }
    }

    /// The wish cannot come true. An entry that never stood is given up, and who waits is told; one that has stood is
    /// kept, and tried again, since nobody waits and the hindrance may go.
    /// - Returns: whether it was given up.
    func failed(_ wish: Wish, _ error: WindfireError) -> Bool {
        let waiters: [Waiter]? = state.withLock { state in
            guard let entry = state.entries[wish.key], !entry.hasStood, entry.wish == wish else { return nil }
            state.entries[wish.key] = nil
            return entry.waiters
        }
        for waiter in waiters ?? [] { waiter.continuation.resume(returning: .failure(error)) }
        return waiters != nil
    }

    func connected() {
        state.withLock { $0.isConnected = true }
        changed.fire()
    }

    func disconnected() {
        let released: [Waiter] = state.withLock { state in
            state.isConnected = false
            var released: [Waiter] = []
            for key in state.entries.keys {
                released += state.entries[key]?.waiters.filter { $0.patience == .whileConnected } ?? []
                state.entries[key]?.waiters.removeAll { $0.patience == .whileConnected }
            }
            return released
        }
        for waiter in released { waiter.continuation.resume(returning: .success(())) }
    }

    /// The registry ends: nothing is wanted any more.
    func shutDown() {
        let left = state.withLock { state in
            state.isConnected = false
            defer { state.entries = [:] }
            return state.entries.values.flatMap(\.waiters)
        }
        for waiter in left {
            waiter.continuation.resume(
                returning: waiter.patience == .whileConnected
                    ? .success(()) : .failure(WindfireError(.notReady, "the registry is shut down")))
        }
    }
}
