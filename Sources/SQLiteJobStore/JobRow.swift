import Common
import Foundation
import GRDB

// From rows to values, and the small statements that several calls share.

enum JobRow {
    static let columns =
        "id, created_at, owner, resend_of, rate_per_s, expires_at, state, reason, total, chunks, chunks_leased, "
        + "chunks_done, skipped_lines, delivered, offline, stored, failed, acknowledged, finished_at, is_stored"

    static func job(_ row: Row) throws -> Job {
        guard let id = JobID(bytes: bytes(row[0])), let state = JobState(name: row[6], reason: row[7]) else {
            throw JobFailure.unavailable("has a job that cannot be read", retryAfter: nil)
        }
        var job = Job(
            id: id, createdAt: UInt64(clamping: row[1] as Int64), owner: row[2],
            resendOf: (row[3] as Data?).flatMap { JobID(bytes: $0) })
        job.ratePerSecond = row[4]
        job.expiresAt = (row[5] as Int64?).map { UInt64(clamping: $0) }
        job.isStored = row[19]
        job.state = state
        job.total = row[8]
        job.chunkCount = row[9]
        job.chunksLeased = row[10]
        job.chunksDone = row[11]
        job.skippedLines = row[12]
        job.counts = JobCounts(
            delivered: row[13], offline: row[14], stored: row[15], failed: row[16], acknowledged: row[17])
        job.finishedAt = (row[18] as Int64?).map { UInt64(clamping: $0) }
        return job
    }

    static func bytes(_ data: Data?) -> [UInt8] { data.map(Array.init) ?? [] }
}

extension JobID {
    var key: Data { Data(bytes) }
}

extension Database {
    /// - Throws: `not_found`.
    func job(_ id: JobID) throws -> Job {
        let statement = try cachedStatement(sql: "SELECT \(JobRow.columns) FROM jobs WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id.key]) else { throw JobFailure.notFound() }
        return try JobRow.job(row)
    }

    /// - Throws: `not_found`; `conflict` when it is in another state.
    @discardableResult
    func receivingJob(_ id: JobID) throws -> Job {
        let job = try job(id)
        guard job.state == .receiving else { throw JobFailure.wrongState(job.state) }
        return job
    }

    /// Runs a statement that is prepared once.
    /// - Returns: how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: arguments)
        return changesCount
    }

    /// Ends a job whose last chunk is done, or which is cancelled and worked on by nobody.
    func settle(_ id: JobID, now: UInt64) throws {
        try run(
            """
            UPDATE jobs SET state = CASE state WHEN 'running' THEN 'finished' ELSE 'cancelled' END, finished_at = ?
            WHERE id = ? AND (state = 'running' AND chunks_done = chunks OR state = 'cancelling' AND chunks_leased = 0)
            """, [Int64(clamping: now), id.key])
    }
}
