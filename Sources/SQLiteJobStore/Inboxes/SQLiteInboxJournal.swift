import Common
import GRDB
import Synchronization

/// The inboxes of `windfire dev --data-dir`, written down in a file, so that stored messages outlive the process.
///
/// Changes that come while the disk is busy are written together when it is free: a thousand stored messages a second
/// cost a few dozen fsyncs. What could not be written stays waiting, and the next call tries again.
package final class SQLiteInboxJournal: InboxJournal {
    private struct State {
        var changes = WaitingChanges()
        /// How often changes were taken in, and up to which of these they are on the disk.
        var taken = 0
        var written = 0
        var isWriting = false
        var isClosed = false
        var waiting: [(upTo: Int, CheckedContinuation<WindfireError?, Never>)] = []
    }

    private let state = Mutex(State())
    let queue: DatabaseQueue

    /// Opens or makes the file, and brings its schema up to date. Blocks for as long as the disk takes; for the start
    /// of a process.
    /// - Parameter path: the file's; its folder must exist. `-wal` and `-shm` files stand beside it.
    /// - Throws: `routes_unavailable` when the file cannot be used, also when a newer version wrote it.
    package init(path: String) throws(WindfireError) {
        do {
            var settings = GRDB.Configuration()
            settings.label = "windfire-inboxes"
            queue = try DatabaseQueue(path: path, configuration: settings)
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
                try InboxSchema.migrate(database)
            }
        } catch {
            throw Self.failure(error)
        }
    }

    package func append(_ changes: [InboxChange]) {
        let isFree = state.withLock { state in
            guard !state.isClosed else { return false }
            for change in changes { state.changes.add(change) }
            state.taken += 1
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFree { write() }
    }

    package func flush() async throws(WindfireError) {
        let error = await withCheckedContinuation { continuation in
            enum Next { case answer(WindfireError?), write, wait }
            let next = state.withLock { state -> Next in
                if state.written == state.taken { return .answer(nil) }
                if state.isClosed { return .answer(WindfireError(.routesUnavailable, "The journal is closed.")) }
                state.waiting.append((upTo: state.taken, continuation))
                defer { state.isWriting = true }
                return state.isWriting ? .wait : .write
            }
            switch next {
            case .answer(let error): continuation.resume(returning: error)
            case .write: write()
            case .wait: break
            }
        }
        if let error { throw error }
    }

    package func replay() async throws(WindfireError) -> [InboxChange] {
        do {
            return try await queue.read { try InboxSchema.everything(in: $0) }
        } catch {
            throw Self.failure(error)
        }
    }

    /// Writes what waits, and closes the file. Nothing is taken in afterwards.
    package func close() async {
        do throws(WindfireError) { try await flush() } catch {
            // Whoever stored it was told.
        }
        state.withLock { $0.isClosed = true }
        // Fails only when it was closed before.
        try? queue.close()
    }

    // MARK: Writing

    /// Writes until nothing waits, or the disk fails. One runs at a time.
    private func write() {
        queue.asyncWriteWithoutTransaction { database in
            while let (changes, upTo) = self.next() {
                do {
                    try database.inTransaction(.immediate) {
                        try InboxSchema.write(changes, to: database)
                        return .commit
                    }
                    self.done(upTo)
                } catch {
                    return self.failed(changes, Self.failure(error))
                }
            }
        }
    }

    private func next() -> (WaitingChanges, upTo: Int)? {
        state.withLock { state in
            guard state.written < state.taken else {
                state.isWriting = false
                return nil
            }
            defer { state.changes = WaitingChanges() }
            return (state.changes, state.taken)
        }
    }

    private func done(_ upTo: Int) {
        let served = state.withLock { state in
            state.written = upTo
            defer { state.waiting.removeAll { $0.upTo <= upTo } }
            return state.waiting.filter { $0.upTo <= upTo }
        }
        for waiter in served { waiter.1.resume(returning: nil) }
    }

    private func failed(_ changes: WaitingChanges, _ error: WindfireError) {
        let disappointed = state.withLock { state in
            var all = changes
            all.add(state.changes)
            state.changes = all
            state.isWriting = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in disappointed { waiter.1.resume(returning: error) }
    }

    private static func failure(_ error: any Error) -> WindfireError {
        if let error = error as? WindfireError { return error }
        return WindfireError(
            .routesUnavailable, "The file of the inboxes \(SQLiteFailure.reason(error)).", cause: error)
    }
}
