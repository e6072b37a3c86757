import Common

// From the first id to the last.

extension MySQLJobStore {
    package func create(_ job: Job, receiver: Incarnation) async throws(WindfireError) {
        let createdAt = MySQLValue.integer(job.createdAt)
        try await write { database in
            // Two that create the same id at once: one inserts, the other waits for it here and then compares.
            try database.run(
                """
                INSERT INTO wf_jobs (id, created_at, owner, resend_of, state, receiver, touched_at)
                VALUES (?, ?, ?, ?, 'receiving', ?, ?) ON DUPLICATE KEY UPDATE id = id
                """,
                [
                    job.id.key, createdAt, .text(job.owner), job.resendOf?.key ?? .null,
                    .text(receiver.description), .integer(try database.now()),
                ])
            let present = try database.row("SELECT receiver, created_at FROM wf_jobs WHERE id = ?", [job.id.key])
            guard let present, present[0].text == receiver.description, present[1] == createdAt else {
                throw JobFailure.idTaken()
            }
        }
    }

    package func append(_ chunk: JobChunk) async throws(WindfireError) {
        let body = MySQLValue.bytes(JobLines.encode(chunk.clients))
        let place = [chunk.job.key, .integer(chunk.index)]
        try await write { database in
            let job = try database.receivingJob(chunk.job)
            guard chunk.index <= job.chunkCount else { throw JobFailure.otherChunk() }
            if chunk.index < job.chunkCount {
                let present = try database.row("SELECT body FROM wf_job_lists WHERE job = ? AND idx = ?", place)
                guard present?.first == body else { throw JobFailure.otherChunk() }
                return
            }
            try database.run("INSERT INTO wf_job_chunks (job, idx) VALUES (?, ?)", place)
            try database.run("INSERT INTO wf_job_lists (job, idx, body) VALUES (?, ?, ?)", place + [body])
            try database.run(
                "UPDATE wf_jobs SET chunks = chunks + 1, total = total + ?, touched_at = ? WHERE id = ?",
                [.integer(chunk.clients.count), .integer(try database.now()), chunk.job.key])
        }
    }

    package func touch(_ job: JobID) async throws(WindfireError) {
        try await write { database in
            try database.receivingJob(job)
            try database.run(
                "UPDATE wf_jobs SET touched_at = ? WHERE id = ?", [.integer(try database.now()), job.key])
        }
    }

    package func seal(
        _ id: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int
    ) async throws(WindfireError) -> Job {
        guard order.specification.count <= JobLimits.specificationBytesMax else {
            throw JobFailure.tooLarge(bytesMax: JobLimits.specificationBytesMax)
        }
        return try await write { database in
            let job = try database.job(id, locked: true)
            guard job.total == total, job.chunkCount == chunkCount else { throw JobFailure.otherNumbers() }
            switch job.state {
            case .receiving: break
            case .running, .finished: return job
            case .cancelling, .cancelled, .failed: throw JobFailure.wrongState(job.state)
            }
            try database.insert(order.specification, of: id)
            try database.run(
                """
                UPDATE wf_jobs SET state = 'running', skipped_lines = ?, is_stored = ?, rate_per_s = ?, expires_at = ?
                WHERE id = ?
                """,
                [
                    .integer(skippedLines), .integer(order.isStored ? 1 : 0),
                    order.ratePerSecond.map { .integer($0) } ?? .null,
                    order.expiresAt.map { .integer($0) } ?? .null, id.key,
                ])
            try database.settle(id, now: try database.now())
            return try database.job(id)
        }
    }

    @discardableResult
    package func abandon(_ id: JobID, reason: String) async throws(WindfireError) -> Bool {
        try await write { database in
            guard try database.job(id, locked: true).state == .receiving else { return false }
            try database.run(
                "UPDATE wf_jobs SET state = 'failed', reason = ?, finished_at = ? WHERE id = ?",
                [.text(JobFailure.bounded(reason)), .integer(try database.now()), id.key])
            return true
        }
    }
}

extension MySQLTransaction {
    /// What is pushed may be 17 MiB, which is more than many servers take in one packet.
    private static let partBytes = 1 << 20

    /// Also of nothing there is one part, so that it can be told from what was never sealed.
    fileprivate func insert(_ specification: [UInt8], of job: JobID) throws {
        for start in stride(from: 0, to: max(specification.count, 1), by: Self.partBytes) {
            let part = specification[start..<min(start + Self.partBytes, specification.count)]
            try run(
                "INSERT INTO wf_job_specifications (job, part, body) VALUES (?, ?, ?)",
                [job.key, .integer(start / Self.partBytes), .bytes(Array(part))])
        }
    }
}
