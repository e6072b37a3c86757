import Common
import Foundation
import GRDB

// Leases and receipts. A write transaction is alone in the file, so what it read holds until it commits.

extension SQLiteJobStore {
    package func lease(
        _ holder: Incarnation, max: Int, for duration: Duration, except: Set<JobID>
    ) async throws(WindfireError) -> [LeasedChunk] {
        let now = now()
        let places = JobLimits.leases(max)
        let expiresAt = now + JobClock.leaseMilliseconds(duration)
        precondition(except.count <= JobLimits.exceptionsMax, "a holder leaves out a bounded number of jobs")
        let exceptions = except.map(\.key)
        return try await write { database in
            try database.dropExpiredOfCancelled(now: now)
            let expired = try database.expired(places, except: exceptions, now: now)
            let fresh = try database.takePending(places - expired.count, except: exceptions)
            return try (expired + fresh).compactMap { chunk -> LeasedChunk? in
                try database.run(
                    """
                    UPDATE job_chunks SET state = 1, attempts = ?, holder = ?, expires_at = ? WHERE job = ? AND idx = ?
                    """,
                    [chunk.attempt, holder.description, Int64(clamping: expiresAt), chunk.job, chunk.index])
                guard let id = JobID(bytes: chunk.job) else { return nil }
                let body = try Data.fetchOne(
                    database.cachedStatement(sql: "SELECT body FROM job_lists WHERE job = ? AND idx = ?"),
                    arguments: [chunk.job, chunk.index])
                return LeasedChunk(
                    lease: ChunkLease(
                        job: id, index: chunk.index, holder: holder, attempt: chunk.attempt, expiresAt: expiresAt),
                    clients: JobLines.clients(body ?? Data()))
            }
        }
    }

    package func renew(
        _ leases: [ChunkLease], for duration: Duration
    ) async throws(WindfireError) -> [ChunkLease] {
        let expiresAt = now() + JobClock.leaseMilliseconds(duration)
        return try await write { database in
            try leases.compactMap { lease in
                let changed = try database.run(
                    "UPDATE job_chunks SET expires_at = ? WHERE \(Database.isHeld)",
                    [Int64(clamping: expiresAt)] + Database.held(lease))
                guard changed == 1 else { return nil }
                return ChunkLease(
                    job: lease.job, index: lease.index, holder: lease.holder, attempt: lease.attempt,
                    expiresAt: expiresAt)
            }
        }
    }

    @discardableResult
    package func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) async throws(WindfireError) -> Bool {
        let now = now()
        let body = Data(JobLines.encode(receipt.undelivered))
        return try await write { database in
            let changed = try database.run(
                "UPDATE job_chunks SET state = 2, holder = NULL, expires_at = NULL WHERE \(Database.isHeld)",
                Database.held(lease))
            guard changed == 1 else { return false }
            try database.run(
                "UPDATE job_lists SET body = ? WHERE job = ? AND idx = ?", [body, lease.job.key, lease.index])
            let counts = receipt.counts
            try database.run(
                """
                UPDATE jobs SET chunks_leased = chunks_leased - 1, chunks_done = chunks_done + 1,
                    delivered = delivered + ?, offline = offline + ?, stored = stored + ?, failed = failed + ?
                WHERE id = ?
                """, [counts.delivered, counts.offline, counts.stored, counts.failed, lease.job.key])
            try database.settle(lease.job, now: now)
            return true
        }
    }

    package func giveBack(_ leases: [ChunkLease]) async throws(WindfireError) {
        let now = now()
        try await write { database in
            for lease in leases {
                let changed = try database.run(
                    """
                    UPDATE job_chunks SET state = 0, attempts = attempts - 1, holder = NULL, expires_at = NULL
                    WHERE \(Database.isHeld)
                    """, Database.held(lease))
                guard changed == 1 else { continue }
                try database.run("UPDATE jobs SET chunks_leased = chunks_leased - 1 WHERE id = ?", [lease.job.key])
                try database.settle(lease.job, now: now)
            }
        }
    }

    @discardableResult
    package func cancel(_ id: JobID) async throws(WindfireError) -> Job {
        let now = now()
        return try await write { database in
            let job = try database.job(id)
            switch job.state {
            case .receiving, .running: break
            case .cancelling, .cancelled: return job
            case .finished, .failed: throw JobFailure.wrongState(job.state)
            }
            try database.run("UPDATE jobs SET state = 'cancelling' WHERE id = ?", [id.key])
            try database.settle(id, now: now)
            return try database.job(id)
        }
    }
}

private struct Candidate {
    let job: Data
    let index: Int
    /// That it will be.
    let attempt: Int
}

extension Database {
    /// Whether a lease is still its holder's: also when it ran out, as long as nobody took it over.
    fileprivate static let isHeld = "job = ? AND idx = ? AND state = 1 AND holder = ? AND attempts = ?"

    fileprivate static func held(_ lease: ChunkLease) -> StatementArguments {
        [lease.job.key, lease.index, lease.holder.description, lease.attempt]
    }

    /// Ran out, or made before the clock was set back.
    private static let isExpired = "state = 1 AND (expires_at <= ? OR expires_at > ?)"

    /// `TRUE`, or that a column has none of these values.
    private static func isNone(of values: [Data], _ column: String) -> String {
        guard !values.isEmpty else { return "TRUE" }
        return "\(column) NOT IN (\(databaseQuestionMarks(count: values.count)))"
    }

    private static func expiry(_ now: UInt64) -> StatementArguments {
        [Int64(clamping: now), Int64(clamping: now + JobClock.milliseconds(JobLimits.leaseMax))]
    }

    /// A cancelled job must not wait for ever for a holder that died.
    fileprivate func dropExpiredOfCancelled(now: UInt64) throws {
        for job in try Data.fetchAll(self, sql: "SELECT id FROM jobs WHERE state = 'cancelling'") {
            let dropped = try run(
                """
                UPDATE job_chunks SET state = 0, holder = NULL, expires_at = NULL WHERE job = ? AND \(Self.isExpired)
                """, [job] + Self.expiry(now))
            guard dropped > 0, let id = JobID(bytes: job) else { continue }
            try run("UPDATE jobs SET chunks_leased = chunks_leased - ? WHERE id = ?", [dropped, job])
            try settle(id, now: now)
        }
    }

    fileprivate func expired(_ max: Int, except: [Data], now: UInt64) throws -> [Candidate] {
        let statement = try cachedStatement(
            sql: """
                SELECT job, idx, attempts FROM job_chunks
                WHERE \(Self.isExpired) AND (SELECT state FROM jobs WHERE id = job) = 'running'
                    AND \(Self.isNone(of: except, "job"))
                ORDER BY expires_at LIMIT ?
                """)
        let arguments = Self.expiry(now) + StatementArguments(except) + [max]
        return try Row.fetchAll(statement, arguments: arguments).map { row in
            Candidate(job: row[0], index: row[1], attempt: row[2] + 1)
        }
    }

    /// Chunks nobody has begun, taken from the running jobs in turn. The jobs' numbers are changed; the chunks are not
    /// yet.
    fileprivate func takePending(_ places: Int, except: [Data]) throws -> [Candidate] {
        guard places > 0 else { return [] }
        let waiting = try Row.fetchAll(
            cachedStatement(
                sql: """
                    SELECT id, chunks - chunks_leased - chunks_done FROM jobs
                    WHERE state = 'running' AND chunks > chunks_leased + chunks_done
                        AND \(Self.isNone(of: except, "id"))
                    ORDER BY served, id LIMIT ?
                    """), arguments: StatementArguments(except) + [places])
        guard !waiting.isEmpty else { return [] }
        let last = try Int64.fetchOne(self, sql: "SELECT max(served) FROM jobs WHERE state = 'running'") ?? 0
        let shares = FairShare.allot(places, among: waiting.map { $0[1] })
        var taken: [Candidate] = []
        for (row, share) in zip(waiting, shares) where share > 0 {
            let job: Data = row[0]
            let chunks = try Row.fetchAll(
                cachedStatement(
                    sql: "SELECT idx, attempts FROM job_chunks WHERE job = ? AND state = 0 ORDER BY idx LIMIT ?"),
                arguments: [job, share])
            taken += chunks.map { Candidate(job: job, index: $0[0], attempt: $0[1] + 1) }
            try run(
                "UPDATE jobs SET chunks_leased = chunks_leased + ?, served = ? WHERE id = ?",
                [chunks.count, last + 1, job])
        }
        return taken
    }
}
