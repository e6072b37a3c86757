import Common
import Logging

/// Jobs on a server, MySQL or MariaDB, through libmariadb: for PushRoutes on several machines.
///
/// InnoDB, READ COMMITTED, and locks on rows by name. **Order of locks:** chunks before jobs, and of several the lower
/// key first; so transactions wait for one another and seldom deadlock, and one that does is tried again. The exception
/// is a job that is received, whose chunks nobody else looks at.
///
/// The clock of leases is the server's. What a call answered is as durable as the server's commits are:
/// `innodb_flush_log_at_trx_commit = 1`, its default, is an fsync each.
package final class MySQLJobStore: JobStore {
    private let workers: MySQLWorkers
    private let conflictRetriesMax: Int

    /// Starts the threads; nothing is dialled yet.
    package init(_ configuration: MySQLConfiguration, logger: Logger) {
        workers = MySQLWorkers(MySQLShared(configuration, logger: logger))
        conflictRetriesMax = configuration.conflictRetriesMax
    }

    /// Dials once, so that what only an operator can put right stops the start. A server that is away, busy or full
    /// does not: jobs begin when it is there, and pushes that need none are carried out meanwhile.
    /// - Throws: `jobs_unavailable` when the server does not let us in, lacks the database or a right, or is too old;
    ///   `jobs_schema_unknown` when a newer version made the tables.
    package static func open(
        _ configuration: MySQLConfiguration, logger: Logger
    ) async throws(WindfireError) -> MySQLJobStore {
        let store = MySQLJobStore(configuration, logger: logger)
        do throws(WindfireError) {
            try await store.workers.run { session in _ = try session.connected() }
        } catch  where isForAnOperator(error) {
            await store.close()
            throw error
        } catch {
            // Told by the session.
        }
        return store
    }

    private static func isForAnOperator(_ error: WindfireError) -> Bool {
        if let cause = error.cause as? MySQLError { return cause.isForAnOperator }
        return error.code == .jobsSchemaUnknown || error.cause is MySQLUnfit
    }

    /// Runs `body` as one transaction. It may run several times, so it changes nothing but the database: a transaction
    /// that lost against another (deadlock, lock wait) was rolled back, and is tried again after a pause. The pause is
    /// nobody's thread, and there is none for a task that was cancelled.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (MySQLTransaction) throws -> Value
    ) async throws(WindfireError) -> Value {
        var conflicts = 0
        while true {
            let outcome = try await workers.run { session -> Result<Value, MySQLError> in
                do {
                    return .success(try session.write(body))
                } catch let error as MySQLError where error.isConflict {
                    return .failure(error)
                }
            }
            switch outcome {
            case .success(let value): return value
            case .failure(let error):
                guard conflicts < conflictRetriesMax else { throw error.windfireError() }
                try? await Task.sleep(for: ConflictPause.length(attempt: conflicts, share: .random(in: 0...1)))
                conflicts += 1
            }
        }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (MySQLTransaction) throws -> Value
    ) async throws(WindfireError) -> Value {
        try await workers.run { session in try session.read(body) }
    }

    package func close() async { await workers.close() }
}
