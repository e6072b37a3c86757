import Common

// Reading, and keeping house.

extension MySQLJobStore {
    package func job(_ id: JobID) async throws(WindfireError) -> Job {
        try await read { try $0.job(id) }
    }

    package func specification(of job: JobID) async throws(WindfireError) -> [UInt8] {
        try await read { database in
            let parts = try database.run(
                "SELECT body FROM wf_job_specifications WHERE job = ? ORDER BY part", [job.key]
            ).rows
            guard !parts.isEmpty else { throw JobFailure.wrongState(try database.job(job).state) }
            return parts.flatMap { $0[0].bytes ?? [] }
        }
    }

    package func jobs(after cursor: JobID?, limit: Int) async throws(WindfireError) -> [Job] {
        try await read { database in
            let condition = cursor == nil ? "" : "WHERE id < ?"
            return try database.run(
                "SELECT \(JobRow.columns) FROM wf_jobs \(condition) ORDER BY id DESC LIMIT ?",
                (cursor.map { [$0.key] } ?? []) + [.integer(JobLimits.jobsOfPage(limit))]
            ).rows.map(JobRow.job)
        }
    }

    /// Lists are read a few at a time, until the page is full: each may be more than a megabyte.
    package func undelivered(
        _ id: JobID, from position: UndeliveredPosition, limit: Int
    ) async throws(WindfireError) -> UndeliveredPage {
        try await read { database in
            let job = try database.job(id)
            var reader = UndeliveredReader(from: position, limit: limit)
            var next = position.chunk
            while !reader.isFull {
                let rows = try database.run(
                    """
                    SELECT chunk.idx, chunk.state, list.body
                    FROM wf_job_chunks chunk JOIN wf_job_lists list ON list.job = chunk.job AND list.idx = chunk.idx
                    WHERE chunk.job = ? AND chunk.idx >= ? AND (chunk.state = 2 OR ?) AND LENGTH(list.body) > 0
                    ORDER BY chunk.idx LIMIT \(Self.listsAtOnce)
                    """, [id.key, .integer(next), .integer(job.state.isEnded ? 1 : 0)]
                ).rows
                for row in rows where !reader.isFull {
                    let (index, body) = (try JobRow.number(row[0]), row[2].bytes ?? [])
                    reader.read(
                        index,
                        row[1] == .integer(2 as Int64)
                            ? .receipt(JobLines.undelivered(body)) : .notTried(JobLines.clients(body)))
                    next = index + 1
                }
                guard rows.count == Self.listsAtOnce else { break }
            }
            return reader.page(chunkCount: job.chunkCount)
        }
    }

    private static let listsAtOnce = 8

    package func recordAcknowledged(_ job: JobID, count: Int) async throws(WindfireError) {
        try await write { database in
            let answer = try database.run(
                "UPDATE wf_jobs SET acknowledged = GREATEST(acknowledged, ?) WHERE id = ?",
                [.integer(count), job.key])
            guard answer.affected == 1 else { throw JobFailure.notFound() }
        }
    }

    package func sweep(finishedBefore: UInt64, silence: Duration) async throws(WindfireError) -> JobSweep {
        let failed = try await write { database in
            let now = try database.now()
            return try database.run(
                """
                UPDATE wf_jobs SET state = 'failed', reason = ?, finished_at = ?
                WHERE state = 'receiving' AND touched_at < ?
                """,
                [
                    .text(JobSweep.bodyEndedEarly), .integer(now),
                    .integer(now - Int64(clamping: JobClock.milliseconds(silence))),
                ]
            ).affected
        }
        // Apart, so that a long deletion holds no job that is received.
        return try await write { database in
            var sweep = JobSweep(jobsFailed: failed)
            let old = try database.run(
                "SELECT id FROM wf_jobs WHERE finished_at < ? ORDER BY finished_at, id LIMIT ?",
                [.integer(finishedBefore), .integer(JobLimits.jobsPerSweepMax + 1)]
            ).rows
            sweep.hasMore = old.count > JobLimits.jobsPerSweepMax
            for job in old.prefix(JobLimits.jobsPerSweepMax) {
                let room = JobLimits.chunksPerSweepMax - sweep.chunksDeleted
                guard try database.delete(job[0], chunksMax: room, &sweep) else {
                    sweep.hasMore = true
                    break
                }
            }
            return sweep
        }
    }
}

extension MySQLTransaction {
    /// - Returns: false when the job has more chunks than may be deleted now.
    fileprivate func delete(_ job: MySQLValue, chunksMax: Int, _ sweep: inout JobSweep) throws -> Bool {
        let chunks = try run(
            "SELECT idx FROM wf_job_chunks WHERE job = ? ORDER BY idx LIMIT ?", [job, .integer(chunksMax + 1)]
        ).rows
        if let last = chunks.prefix(chunksMax).last {
            sweep.chunksDeleted += try run(
                "DELETE FROM wf_job_chunks WHERE job = ? AND idx <= ?", [job, last[0]]
            ).affected
            try run("DELETE FROM wf_job_lists WHERE job = ? AND idx <= ?", [job, last[0]])
        }
        guard chunks.count <= chunksMax else { return false }
        try run("DELETE FROM wf_job_specifications WHERE job = ?", [job])
        sweep.jobsDeleted += try run("DELETE FROM wf_jobs WHERE id = ?", [job]).affected
        return true
    }
}
