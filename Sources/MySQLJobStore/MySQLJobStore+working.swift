import Common

// Receipts, and the end of leases. Of a lease's holder and attempt the WHERE decides; the row is locked by the UPDATE.

extension MySQLJobStore {
    package func renew(
        _ leases: [ChunkLease], for duration: Duration
    ) async throws(WindfireError) -> [ChunkLease] {
        guard !leases.isEmpty else { return [] }
        return try await write { database in
            let expiresAt = try database.now() + Int64(JobClock.leaseMilliseconds(duration))
            let held = try leases.inOrderOfLocks.filter { lease in
                let answer = try database.run(
                    "UPDATE wf_job_chunks SET expires_at = ? WHERE \(MySQLTransaction.isHeld)",
                    [.integer(expiresAt)] + MySQLTransaction.held(lease))
                return answer.affected == 1
            }
            let renewed = Set(held)
            return leases.filter(renewed.contains).map { lease in
                ChunkLease(
                    job: lease.job, index: lease.index, holder: lease.holder, attempt: lease.attempt,
                    expiresAt: UInt64(clamping: expiresAt))
            }
        }
    }

    @discardableResult
    package func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) async throws(WindfireError) -> Bool {
        let body = MySQLValue.bytes(JobLines.encode(receipt.undelivered))
        let counts = receipt.counts
        return try await write { database in
            let answer = try database.run(
                "UPDATE wf_job_chunks SET state = 2, holder = NULL, expires_at = NULL WHERE \(MySQLTransaction.isHeld)",
                MySQLTransaction.held(lease))
            guard answer.affected == 1 else { return false }
            try database.run(
                "UPDATE wf_job_lists SET body = ? WHERE job = ? AND idx = ?",
                [body, lease.job.key, .integer(lease.index)])
            let now = try database.now()
            try database.run(
                """
                UPDATE wf_jobs SET chunks_leased = chunks_leased - 1, chunks_done = chunks_done + 1,
                    delivered = delivered + ?, offline = offline + ?, stored = stored + ?, failed = failed + ?
                WHERE id = ?
                """,
                [counts.delivered, counts.offline, counts.stored, counts.failed].map { .integer($0) }
                    + [lease.job.key])
            try database.settle(lease.job, now: now)
            return true
        }
    }

    package func giveBack(_ leases: [ChunkLease]) async throws(WindfireError) {
        guard !leases.isEmpty else { return }
        try await write { database in
            let now = try database.now()
            var given: [JobID: Int] = [:]
            for lease in leases.inOrderOfLocks {
                let answer = try database.run(
                    """
                    UPDATE wf_job_chunks SET state = 0, attempts = attempts - 1, holder = NULL, expires_at = NULL
                    WHERE \(MySQLTransaction.isHeld)
                    """, MySQLTransaction.held(lease))
                if answer.affected == 1 { given[lease.job, default: 0] += 1 }
            }
            for (job, count) in given.sorted(by: { $0.key < $1.key }) {
                try database.run(
                    "UPDATE wf_jobs SET chunks_leased = chunks_leased - ? WHERE id = ?",
                    [.integer(count), job.key])
                try database.settle(job, now: now)
            }
        }
    }

    @discardableResult
    package func cancel(_ id: JobID) async throws(WindfireError) -> Job {
        try await write { database in
            let job = try database.job(id, locked: true)
            switch job.state {
            case .receiving, .running: break
            case .cancelling, .cancelled: return job
            case .finished, .failed: throw JobFailure.wrongState(job.state)
            }
            try database.run("UPDATE wf_jobs SET state = 'cancelling' WHERE id = ?", [id.key])
            try database.settle(id, now: try database.now())
            return try database.job(id)
        }
    }
}

extension [ChunkLease] {
    /// See `MySQLJobStore`.
    fileprivate var inOrderOfLocks: [ChunkLease] { sorted { ($0.job, $0.index) < ($1.job, $1.index) } }
}

extension MySQLTransaction {
    /// Whether a lease is still its holder's: also when it ran out, as long as nobody took it over.
    fileprivate static let isHeld = "job = ? AND idx = ? AND state = 1 AND holder = ? AND attempts = ?"

    fileprivate static func held(_ lease: ChunkLease) -> [MySQLValue] {
        [lease.job.key, .integer(lease.index), .text(lease.holder.description), .integer(lease.attempt)]
    }
}
