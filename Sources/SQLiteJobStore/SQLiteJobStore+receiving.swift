import Common
import Foundation
import GRDB

// From the first id to the last.

extension SQLiteJobStore {
    package func create(_ job: Job, receiver: Incarnation) async throws(WindfireError) {
        let now = now()
        try await write { database in
            let present = try Row.fetchOne(
                database, sql: "SELECT receiver, created_at FROM jobs WHERE id = ?", arguments: [job.id.key])
            if let present {
                guard present[0] == receiver.description, present[1] == Int64(clamping: job.createdAt) else {
                    throw JobFailure.idTaken()
                }
                return
            }
            try database.run(
                """
                INSERT INTO jobs (id, created_at, owner, resend_of, state, receiver, touched_at)
                VALUES (?, ?, ?, ?, 'receiving', ?, ?)
                """,
                [
                    job.id.key, Int64(clamping: job.createdAt), job.owner, job.resendOf?.key, receiver.description,
                    Int64(clamping: now),
                ])
        }
    }

    package func append(_ chunk: JobChunk) async throws(WindfireError) {
        let now = now()
        let body = Data(JobLines.encode(chunk.clients))
        try await write { database in
            let job = try database.receivingJob(chunk.job)
            guard chunk.index <= job.chunkCount else { throw JobFailure.otherChunk() }
            if chunk.index < job.chunkCount {
                let present = try Data.fetchOne(
                    database, sql: "SELECT body FROM job_lists WHERE job = ? AND idx = ?",
                    arguments: [chunk.job.key, chunk.index])
                guard present == body else { throw JobFailure.otherChunk() }
                return
            }
            try database.run("INSERT INTO job_chunks (job, idx) VALUES (?, ?)", [chunk.job.key, chunk.index])
            try database.run(
                "INSERT INTO job_lists (job, idx, body) VALUES (?, ?, ?)", [chunk.job.key, chunk.index, body])
            try database.run(
                "UPDATE jobs SET chunks = chunks + 1, total = total + ?, touched_at = ? WHERE id = ?",
                [chunk.clients.count, Int64(clamping: now), chunk.job.key])
        }
    }

    package func touch(_ job: JobID) async throws(WindfireError) {
        let now = now()
        try await write { database in
            try database.receivingJob(job)
            try database.run("UPDATE jobs SET touched_at = ? WHERE id = ?", [Int64(clamping: now), job.key])
        }
    }

    package func seal(
        _ id: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int
    ) async throws(WindfireError) -> Job {
        guard order.specification.count <= JobLimits.specificationBytesMax else {
            throw JobFailure.tooLarge(bytesMax: JobLimits.specificationBytesMax)
        }
        let now = now()
        return try await write { database in
            let job = try database.job(id)
            guard job.total == total, job.chunkCount == chunkCount else { throw JobFailure.otherNumbers() }
            switch job.state {
            case .receiving: break
            case .running, .finished: return job
            case .cancelling, .cancelled, .failed: throw JobFailure.wrongState(job.state)
            }
            try database.run(
                "INSERT INTO job_specifications (job, body) VALUES (?, ?)", [id.key, Data(order.specification)])
            try database.run(
                """
                UPDATE jobs SET state = 'running', skipped_lines = ?, is_stored = ?, rate_per_s = ?, expires_at = ?
                WHERE id = ?
                """,
                [
                    skippedLines, order.isStored, order.ratePerSecond, order.expiresAt.map { Int64(clamping: $0) },
                    id.key,
                ])
            try database.settle(id, now: now)
            return try database.job(id)
        }
    }

    @discardableResult
    package func abandon(_ id: JobID, reason: String) async throws(WindfireError) -> Bool {
        let now = now()
        return try await write { database in
            guard try database.job(id).state == .receiving else { return false }
            try database.run(
                "UPDATE jobs SET state = 'failed', reason = ?, finished_at = ? WHERE id = ?",
                [JobFailure.bounded(reason), Int64(clamping: now), id.key])
            return true
        }
    }
}
