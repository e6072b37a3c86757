import Common

// Taking chunks. Many do so at once, each skips the chunks that others have locked (SKIP LOCKED), and nobody waits. In
// this order: look without locks for where something is to be had; lock chunks, and look at them again; change the job,
// if it is still running; change the chunks.

extension MySQLJobStore {
    package func lease(
        _ holder: Incarnation, max: Int, for duration: Duration, except: Set<JobID>
    ) async throws(WindfireError) -> [LeasedChunk] {
        precondition(except.count <= JobLimits.exceptionsMax, "a holder leaves out a bounded number of jobs")
        let places = JobLimits.leases(max)
        let exceptions = except.map(\.key)
        return try await write { database in
            let now = try database.now()
            let expiresAt = now + Int64(JobClock.leaseMilliseconds(duration))
            try database.dropExpiredOfCancelled(now: now)
            let expired = try database.expired(places, except: exceptions, now: now)
            let fresh = try database.takePending(places - expired.count, except: exceptions)
            return try (expired + fresh).map { chunk in
                let place = [chunk.job.key, MySQLValue.integer(chunk.index)]
                try database.run(
                    """
                    UPDATE wf_job_chunks SET state = 1, attempts = ?, holder = ?, expires_at = ?
                    WHERE job = ? AND idx = ?
                    """,
                    [.integer(chunk.attempt), .text(holder.description), .integer(expiresAt)] + place)
                let body = try database.row("SELECT body FROM wf_job_lists WHERE job = ? AND idx = ?", place)
                return LeasedChunk(
                    lease: ChunkLease(
                        job: chunk.job, index: chunk.index, holder: holder, attempt: chunk.attempt,
                        expiresAt: UInt64(clamping: expiresAt)),
                    clients: JobLines.clients(body?.first?.bytes ?? []))
            }
        }
    }
}

private struct Candidate {
    let job: JobID
    let index: Int
    /// That it will be.
    let attempt: Int

    /// - Parameter row: job, index, attempts so far.
    init(_ row: [MySQLValue]) throws {
        guard let job = row[0].bytes.flatMap(JobID.init(bytes:)) else { throw JobRow.unreadable() }
        self.job = job
        index = try JobRow.number(row[1])
        attempt = try JobRow.number(row[2]) + 1
    }
}

extension MySQLTransaction {
    /// Ran out, or made before the clock was set back.
    private static let isExpired = "state = 1 AND (expires_at <= ? OR expires_at > ?)"

    private static func expiry(_ now: Int64) -> [MySQLValue] {
        [.integer(now), .integer(now + Int64(JobClock.milliseconds(JobLimits.leaseMax)))]
    }

    /// That a column has none of these values, or one of them. The list is filled up to a power of two with the last
    /// value, because every length is a statement of its own, and prepared ones are kept.
    private static func list(_ values: [MySQLValue]) -> (marks: String, values: [MySQLValue]) {
        guard let last = values.last else { return ("NULL", []) }
        var count = 1
        while count < values.count { count *= 2 }
        return (
            Array(repeating: "?", count: count).joined(separator: ", "),
            values + Array(repeating: last, count: count - values.count)
        )
    }

    private static func isNone(of values: [MySQLValue], _ column: String) -> (sql: String, values: [MySQLValue]) {
        let list = list(values)
        return values.isEmpty ? ("TRUE", []) : ("\(column) NOT IN (\(list.marks))", list.values)
    }

    /// A cancelled job must not wait for ever for a holder that died.
    fileprivate func dropExpiredOfCancelled(now: Int64) throws {
        for row in try run("SELECT id FROM wf_jobs WHERE state = 'cancelling' ORDER BY id").rows {
            let dropped = try run(
                """
                UPDATE wf_job_chunks SET state = 0, holder = NULL, expires_at = NULL WHERE job = ? AND \(Self.isExpired)
                """, [row[0]] + Self.expiry(now)
            ).affected
            guard dropped > 0, let id = row[0].bytes.flatMap(JobID.init(bytes:)) else { continue }
            try run(
                "UPDATE wf_jobs SET chunks_leased = chunks_leased - ? WHERE id = ?", [.integer(dropped), row[0]])
            try settle(id, now: now)
        }
    }

    /// Chunks of running jobs whose holder is gone, locked. A job that is cancelled at this very moment may lose such a
    /// chunk to us: as if we had asked before.
    fileprivate func expired(_ max: Int, except: [MySQLValue], now: Int64) throws -> [Candidate] {
        let isWanted = Self.isNone(of: except, "job")
        let seen = try run(
            """
            SELECT job, idx FROM wf_job_chunks
            WHERE \(Self.isExpired) AND \(isWanted.sql)
                AND (SELECT state FROM wf_jobs WHERE id = job) = 'running'
            ORDER BY expires_at LIMIT ?
            """, Self.expiry(now) + isWanted.values + [.integer(max)]
        ).rows
        return try Dictionary(grouping: seen) { $0[0] }.flatMap { job, rows in
            let indexes = Self.list(rows.map { $0[1] })
            return try run(
                """
                SELECT job, idx, attempts FROM wf_job_chunks
                WHERE job = ? AND idx IN (\(indexes.marks)) AND \(Self.isExpired)
                ORDER BY idx FOR UPDATE SKIP LOCKED
                """, [job] + indexes.values + Self.expiry(now)
            ).rows.map(Candidate.init)
        }
    }

    /// Chunks nobody has begun, taken from the running jobs in turn, locked. The jobs' numbers are changed; the chunks
    /// are not yet.
    fileprivate func takePending(_ places: Int, except: [MySQLValue]) throws -> [Candidate] {
        guard places > 0 else { return [] }
        let isWanted = Self.isNone(of: except, "id")
        let waiting = try run(
            """
            SELECT id, chunks - chunks_leased - chunks_done FROM wf_jobs
            WHERE state = 'running' AND chunks > chunks_leased + chunks_done AND \(isWanted.sql)
            ORDER BY served, id LIMIT ?
            """, isWanted.values + [.integer(places)]
        ).rows
        guard !waiting.isEmpty else { return [] }
        let shares = FairShare.allot(places, among: try waiting.map { try JobRow.number($0[1]) })
        let last = try row("SELECT MAX(served) FROM wf_jobs WHERE state = 'running'")?.first?.integer ?? 0
        var taken: [MySQLValue: [Candidate]] = [:]
        for (row, share) in zip(waiting, shares) where share > 0 {
            let chunks = try run(
                """
                SELECT job, idx, attempts FROM wf_job_chunks WHERE job = ? AND state = 0
                ORDER BY idx LIMIT ? FOR UPDATE SKIP LOCKED
                """, [row[0], .integer(share)]
            ).rows.map(Candidate.init)
            if !chunks.isEmpty { taken[row[0]] = chunks }
        }
        for (key, chunks) in taken.sorted(by: { $0.value[0].job < $1.value[0].job }) {
            let changed = try run(
                """
                UPDATE wf_jobs SET chunks_leased = chunks_leased + ?, served = ? WHERE id = ? AND state = 'running'
                """, [.integer(chunks.count), .integer(last + 1), key]
            ).affected
            // Cancelled since we looked: these chunks are nobody's any more.
            if changed == 0 { taken[key] = nil }
        }
        return waiting.flatMap { taken[$0[0]] ?? [] }
    }
}
