import Common
import Foundation
import GRDB

// Reading, and keeping house.

extension SQLiteJobStore {
    package func job(_ id: JobID) async throws(WindfireError) -> Job {
        try await read { try $0.job(id) }
    }

    package func specification(of job: JobID) async throws(WindfireError) -> [UInt8] {
        try await read { database in
            let body = try Data.fetchOne(
                database, sql: "SELECT body FROM job_specifications WHERE job = ?", arguments: [job.key])
            guard let body else { throw JobFailure.wrongState(try database.job(job).state) }
            return Array(body)
        }
    }

    package func jobs(after cursor: JobID?, limit: Int) async throws(WindfireError) -> [Job] {
        try await read { database in
            let (condition, arguments): (String, StatementArguments) =
                cursor.map { ("WHERE id < ?", [$0.key]) } ?? ("", [])
            return try Row.fetchAll(
                database, sql: "SELECT \(JobRow.columns) FROM jobs \(condition) ORDER BY id DESC LIMIT ?",
                arguments: arguments + [JobLimits.jobsOfPage(limit)]
            ).map(JobRow.job)
        }
    }

    package func undelivered(
        _ id: JobID, from position: UndeliveredPosition, limit: Int
    ) async throws(WindfireError) -> UndeliveredPage {
        try await read { database in
            let job = try database.job(id)
            var reader = UndeliveredReader(from: position, limit: limit)
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT job_chunks.idx, state, body FROM job_chunks JOIN job_lists USING (job, idx)
                    WHERE job = ? AND job_chunks.idx >= ? AND (state = 2 OR ?) AND length(body) > 0
                    ORDER BY job_chunks.idx
                    """, arguments: [id.key, position.chunk, job.state.isEnded])
            while !reader.isFull, let row = try rows.next() {
                let body: Data = row[2]
                reader.read(
                    row[0], row[1] == 2 ? .receipt(JobLines.undelivered(body)) : .notTried(JobLines.clients(body)))
            }
            return reader.page(chunkCount: job.chunkCount)
        }
    }

    package func recordAcknowledged(_ job: JobID, count: Int) async throws(WindfireError) {
        try await write { database in
            let changed = try database.run(
                "UPDATE jobs SET acknowledged = max(acknowledged, ?) WHERE id = ?", [count, job.key])
            guard changed == 1 else { throw JobFailure.notFound() }
        }
    }

    package func sweep(finishedBefore: UInt64, silence: Duration) async throws(WindfireError) -> JobSweep {
        let now = now()
        let silentSince = Int64(clamping: now) - Int64(clamping: JobClock.milliseconds(silence))
        return try await write { database in
            var sweep = JobSweep()
            sweep.jobsFailed = try database.run(
                """
                UPDATE jobs SET state = 'failed', reason = ?, finished_at = ?
                WHERE state = 'receiving' AND touched_at < ?
                """, [JobSweep.bodyEndedEarly, Int64(clamping: now), silentSince])
            let old = try Data.fetchAll(
                database, sql: "SELECT id FROM jobs WHERE finished_at < ? ORDER BY finished_at, id LIMIT ?",
                arguments: [Int64(clamping: finishedBefore), JobLimits.jobsPerSweepMax + 1])
            sweep.hasMore = old.count > JobLimits.jobsPerSweepMax
            for job in old.prefix(JobLimits.jobsPerSweepMax) {
                let room = JobLimits.chunksPerSweepMax - sweep.chunksDeleted
                guard try database.delete(job, chunksMax: room, &sweep) else {
                    sweep.hasMore = true
                    break
                }
            }
            return sweep
        }
    }
}

extension Database {
    /// - Returns: false when the job has more chunks than may be deleted now.
    fileprivate func delete(_ job: Data, chunksMax: Int, _ sweep: inout JobSweep) throws -> Bool {
        let chunks = try Int.fetchAll(
            self, sql: "SELECT idx FROM job_chunks WHERE job = ? ORDER BY idx LIMIT ?",
            arguments: [job, chunksMax + 1])
        if let last = chunks.prefix(chunksMax).last {
            try run("DELETE FROM job_lists WHERE job = ? AND idx <= ?", [job, last])
            sweep.chunksDeleted += try run("DELETE FROM job_chunks WHERE job = ? AND idx <= ?", [job, last])
        }
        guard chunks.count <= chunksMax else { return false }
        try run("DELETE FROM job_specifications WHERE job = ?", [job])
        sweep.jobsDeleted += try run("DELETE FROM jobs WHERE id = ?", [job])
        return true
    }
}
