import Common
import Logging
import Synchronization

/// What all connections of a store have in common.
final class MySQLShared: Sendable {
    let configuration: MySQLConfiguration
    let logger: Logger
    let gate: Mutex<ConnectGate>
    /// One of the warnings about the server's settings was given.
    let warned = Atomic(false)

    init(_ configuration: MySQLConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        gate = Mutex(ConnectGate(least: configuration.backoffLeast, most: configuration.backoffMost))
    }
}

/// One thread's way to the server: dials when there is no connection, and runs transactions. Blocks; stays on the
/// thread of `MySQLWorkers` that made it.
///
/// **Lost connections.** What was lost before COMMIT was sent never happened, because the server rolls back what a lost
/// connection left; it is run once more when the connection had been idle before, as after a restart of the server.
/// Lost in COMMIT, nobody knows: the caller is told so and repeats, which every write allows.
final class MySQLSession {
    private let shared: MySQLShared
    private var handle: MySQLHandle?

    init(_ shared: MySQLShared) { self.shared = shared }

    private var configuration: MySQLConfiguration { shared.configuration }

    /// Runs `body` as one transaction. What it throws rolls everything back.
    func write<Value>(_ body: (MySQLTransaction) throws -> Value) throws -> Value { try run(isWrite: true, body) }

    /// Runs `body`, which only looks; each of its statements sees what is committed when it begins.
    func read<Value>(_ body: (MySQLTransaction) throws -> Value) throws -> Value { try run(isWrite: false, body) }

    private func run<Value>(isWrite: Bool, _ body: (MySQLTransaction) throws -> Value) throws -> Value {
        var wasRedialled = false
        while true {
            let isIdle = handle?.isUsable == true
            let connection = try connected()
            let began = ContinuousClock.now
            var isCommitting = false
            do {
                if isWrite { try connection.command("START TRANSACTION") }
                let value = try body(
                    MySQLTransaction(connection: connection, clockShift: configuration.clockShift))
                guard isWrite else { return value }
                isCommitting = true
                try connection.command("COMMIT")
                return value
            } catch let error as MySQLError where error.isConnectionLost {
                handle = nil
                if isCommitting { throw MySQLFailure.outcomeUnknown(error) }
                // Not after a long wait: then it hangs, and the caller has waited enough.
                guard isIdle, !wasRedialled, .now - began < configuration.timeout / 2 else { throw error }
                wasRedialled = true
            } catch {
                rollBack(connection)
                // The name may stand for another server by now, the one that took over.
                if let error = error as? MySQLError, error.isReadOnly { handle = nil }
                throw error
            }
        }
    }

    /// A connection is used again only when the server said that nothing is left of the transaction.
    private func rollBack(_ connection: MySQLHandle) {
        guard connection.isUsable, (try? connection.command("ROLLBACK")) != nil else {
            handle = nil
            return
        }
    }

    // MARK: Connecting

    func connected() throws -> MySQLHandle {
        if let handle, handle.isUsable { return handle }
        handle = nil
        if let refusal = shared.gate.withLock({ $0.refusal(at: .now) }) { throw refusal }
        do {
            let fresh = try MySQLHandle(configuration)
            try SessionSettings.apply(to: fresh, timeout: configuration.timeout)
            try ServerCheck.check(fresh, warn: warn)
            try MySQLSchema.migrate(fresh, patience: configuration.timeout)
            if shared.gate.withLock({ $0.succeeded() }) { shared.logger.notice("the job database is there again") }
            handle = fresh
            return fresh
        } catch let error as MySQLError {
            if shared.gate.withLock({ $0.failed(error, at: .now) }) {
                shared.logger.warning(
                    "the job database cannot be used",
                    metadata: [
                        Logger.Metadata.Key.address: "\(configuration)", Logger.Metadata.Key.error: "\(error)",
                    ])
            }
            throw error
        }
    }

    private func warn(_ reason: String) {
        guard !shared.warned.exchange(true, ordering: .relaxed) else { return }
        shared.logger.warning(
            "the job database may forget what it answered", metadata: [Logger.Metadata.Key.reason: "\(reason)"])
    }

    func close() { handle = nil }
}

/// What a transaction, or a look, is made of: statements, and the store's clock.
struct MySQLTransaction {
    private let connection: MySQLHandle
    private let clockShift: @Sendable () -> Int64

    init(connection: MySQLHandle, clockShift: @escaping @Sendable () -> Int64) {
        self.connection = connection
        self.clockShift = clockShift
    }

    @discardableResult
    func run(_ sql: String, _ parameters: [MySQLValue] = []) throws -> MySQLAnswer {
        try connection.run(sql, parameters)
    }

    func row(_ sql: String, _ parameters: [MySQLValue] = []) throws -> [MySQLValue]? {
        try run(sql, parameters).rows.first
    }

    /// The server's clock, Unix milliseconds: one for all who share the jobs.
    func now() throws -> Int64 {
        // The session's time zone is UTC, where no hour comes twice.
        let row = try row("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")
        guard let now = row?.first?.integer else { throw JobFailure.unavailable("does not tell the time") }
        return now + clockShift()
    }
}
