import Common
import Dispatch
import GRDB

/// Jobs in a file: the default. For one PushRoute, or several on one machine that share the file; replicas on several
/// machines need `MySQLJobStore`, because SQLite's locks do not reach across a network.
///
/// Write-ahead log with `synchronous = FULL`: what a call answered survives the end of the process and, as far as the
/// disk keeps its word about fsync, of the power. One fsync a transaction; GRDB runs them on queues of its own, so
/// neither an event loop nor the cooperative pool waits for the disk. A call that was begun runs to its end also when
/// its task is cancelled: a receipt must not be lost to an orderly stop.
package final class SQLiteJobStore: JobStore {
    package struct Configuration: Sendable {
        /// Of the file; made when missing, its folder must exist. `-wal` and `-shm` files stand beside it.
        package var path: String
        /// Longest wait for another process that writes.
        package var busyTimeout: Duration = .seconds(5)
        /// Calls that may wait for the file at once.
        package var waitingCallsMax = 1_000
        /// The clock of leases, Unix milliseconds. All who share the file are on this machine and have the same.
        package var now: @Sendable () -> UInt64 = WallClock.milliseconds

        package init(path: String) { self.path = path }
    }

    let now: @Sendable () -> UInt64
    private let pool: DatabasePool
    private let waiting: WaitingCalls

    /// Opens or makes the file, and brings its schema up to date. Blocks for as long as the disk takes; for the start
    /// of a process.
    /// - Throws: `jobs_unavailable` when the file cannot be used; `jobs_schema_unknown` when a newer version wrote it.
    package init(_ configuration: Configuration) throws(WindfireError) {
        var settings = GRDB.Configuration()
        settings.label = "windfire-jobs"
        settings.busyMode = .timeout(Double(JobClock.milliseconds(configuration.busyTimeout)) / 1000)
        settings.maximumReaderCount = 4
        now = configuration.now
        waiting = WaitingCalls(max: configuration.waitingCallsMax)
        pool = try Self.open(configuration.path, settings, patience: configuration.busyTimeout)
    }

    /// Two processes that make one file at the same moment can meet in the switch to the write-ahead log, for which
    /// SQLite does not wait (sqlite.org/wal.html, section 2.1): tried again, within the busy timeout.
    private static func open(
        _ path: String, _ settings: GRDB.Configuration, patience: Duration
    ) throws(WindfireError) -> DatabasePool {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                let pool = try DatabasePool(path: path, configuration: settings)
                try pool.writeWithoutTransaction { database in
                    try database.execute(
                        sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(walBytesKept)")
                    try SQLiteSchema.migrate(database)
                }
                return pool
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                guard ContinuousClock.now < deadline else { throw SQLiteFailure.windfireError(error) }
            } catch {
                throw SQLiteFailure.windfireError(error)
            }
        }
    }

    /// To this the write-ahead log is cut when it was written back.
    private static let walBytesKept = 64 << 20

    // MARK: Transactions

    /// Runs `body` as one transaction that may write.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(WindfireError) -> Value {
        try waiting.enter()
        let result: Result<Value, WindfireError> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                let result = Self.outcome {
                    var value: Value?
                    try database.inTransaction(.immediate) {
                        value = try body(database)
                        return .commit
                    }
                    guard let value else { throw JobFailure.unavailable("did not run a transaction") }
                    return value
                }
                self.waiting.leave()
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }

    /// Runs `body` on one state of the file.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(WindfireError) -> Value {
        try waiting.enter()
        let result: Result<Value, WindfireError> = await withCheckedContinuation { continuation in
            pool.asyncRead { database in
                let result = Self.outcome { try body(try database.get()) }
                self.waiting.leave()
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }

    private static func outcome<Value>(_ body: () throws -> Value) -> Result<Value, WindfireError> {
        do { return .success(try body()) } catch { return .failure(SQLiteFailure.windfireError(error)) }
    }

    package func close() async {
        guard waiting.close() else { return }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [pool] in
                // Fails only when something still reads; the file is consistent either way.
                try? pool.close()
                continuation.resume()
            }
        }
    }
}
