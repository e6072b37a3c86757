import Common

// From rows to values, and the small statements that several calls share.

enum JobRow {
    static let columns =
        "id, created_at, owner, resend_of, rate_per_s, expires_at, state, reason, total, chunks, chunks_leased, "
        + "chunks_done, skipped_lines, delivered, offline, stored, failed, acknowledged, finished_at, is_stored"

    static func job(_ row: [MySQLValue]) throws -> Job {
        guard row.count == 20, let id = row[0].bytes.flatMap(JobID.init(bytes:)), let owner = row[2].text,
            let state = row[6].text.flatMap({ JobState(name: $0, reason: row[7].text) })
        else { throw unreadable() }
        var job = Job(
            id: id, createdAt: UInt64(clamping: try number(row[1])), owner: owner,
            resendOf: row[3].bytes.flatMap(JobID.init(bytes:)))
        job.ratePerSecond = row[4].integer.map(Int.init)
        job.expiresAt = row[5].integer.map { UInt64(clamping: $0) }
        job.isStored = try number(row[19]) != 0
        job.state = state
        job.total = try number(row[8])
        job.chunkCount = try number(row[9])
        job.chunksLeased = try number(row[10])
        job.chunksDone = try number(row[11])
        job.skippedLines = try number(row[12])
        job.counts = JobCounts(
            delivered: try number(row[13]), offline: try number(row[14]), stored: try number(row[15]),
            failed: try number(row[16]), acknowledged: try number(row[17]))
        job.finishedAt = row[18].integer.map { UInt64(clamping: $0) }
        return job
    }

    static func number(_ value: MySQLValue) throws -> Int {
        guard let number = value.integer else { throw unreadable() }
        return Int(number)
    }

    static func unreadable() -> WindfireError {
        JobFailure.unavailable("has a job that cannot be read", retryAfter: nil)
    }
}

extension JobID {
    var key: MySQLValue { .bytes(bytes) }
}

extension MySQLTransaction {
    /// - Parameter locked: nobody else changes the job until the end of the transaction.
    /// - Throws: `not_found`.
    func job(_ id: JobID, locked: Bool = false) throws -> Job {
        let sql = "SELECT \(JobRow.columns) FROM wf_jobs WHERE id = ?"
        guard let row = try row(locked ? sql + " FOR UPDATE" : sql, [id.key]) else { throw JobFailure.notFound() }
        return try JobRow.job(row)
    }

    /// Locked, see above.
    /// - Throws: `not_found`; `conflict` when it is in another state.
    @discardableResult
    func receivingJob(_ id: JobID) throws -> Job {
        let job = try job(id, locked: true)
        guard job.state == .receiving else { throw JobFailure.wrongState(job.state) }
        return job
    }

    /// Ends a job whose last chunk is done, or which is cancelled and worked on by nobody.
    /// - Precondition: this transaction has changed or locked the job.
    func settle(_ id: JobID, now: Int64) throws {
        // Assignments go from left to right, and the time is set first, while the state is still the old one.
        try run(
            """
            UPDATE wf_jobs SET finished_at = ?, state = IF(state = 'running', 'finished', 'cancelled')
            WHERE id = ? AND (state = 'running' AND chunks_done = chunks OR state = 'cancelling' AND chunks_leased = 0)
            """, [.integer(now), id.key])
    }
}
