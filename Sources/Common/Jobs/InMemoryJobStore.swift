/// The job store of tests and of `memory:`: everything in this process, gone with it. It keeps the same promises as
/// those on a database, and the same contract suite runs on it.
///
/// An actor, because every operation is short and none waits; the rules are in `JobTable`.
package actor InMemoryJobStore: JobStore {
    /// Unix milliseconds.
    private let now: @Sendable () -> UInt64
    private var table = JobTable()

    /// - Parameter now: the store's clock, Unix milliseconds.
    package init(now: @escaping @Sendable () -> UInt64 = WallClock.milliseconds) { self.now = now }

    package func create(_ job: Job, receiver: Incarnation) throws(WindfireError) {
        try table.create(job, receiver: receiver, now: now())
    }

    package func append(_ chunk: JobChunk) throws(WindfireError) { try table.append(chunk, now: now()) }

    package func touch(_ job: JobID) throws(WindfireError) { try table.touch(job, now: now()) }

    package func seal(
        _ job: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int
    ) throws(WindfireError) -> Job {
        try table.seal(job, order, total: total, chunkCount: chunkCount, skippedLines: skippedLines, now: now())
    }

    @discardableResult
    package func abandon(_ job: JobID, reason: String) throws(WindfireError) -> Bool {
        try table.abandon(job, reason: reason, now: now())
    }

    package func lease(
        _ holder: Incarnation, max: Int, for duration: Duration, except: Set<JobID>
    ) -> [LeasedChunk] {
        table.lease(
            holder, max: JobLimits.leases(max), milliseconds: JobClock.leaseMilliseconds(duration), except: except,
            now: now())
    }

    package func renew(_ leases: [ChunkLease], for duration: Duration) -> [ChunkLease] {
        table.renew(leases, milliseconds: JobClock.leaseMilliseconds(duration), now: now())
    }

    @discardableResult
    package func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) -> Bool {
        table.complete(lease, receipt, now: now())
    }

    package func giveBack(_ leases: [ChunkLease]) { table.giveBack(leases, now: now()) }

    @discardableResult
    package func cancel(_ job: JobID) throws(WindfireError) -> Job { try table.cancel(job, now: now()) }

    package func job(_ id: JobID) throws(WindfireError) -> Job { try table.job(id) }

    package func specification(of job: JobID) throws(WindfireError) -> [UInt8] { try table.specification(of: job) }

    package func jobs(after cursor: JobID?, limit: Int) -> [Job] {
        table.jobs(after: cursor, limit: JobLimits.jobsOfPage(limit))
    }

    package func undelivered(
        _ job: JobID, from position: UndeliveredPosition, limit: Int
    ) throws(WindfireError) -> UndeliveredPage {
        try table.undelivered(job, from: position, limit: limit)
    }

    package func recordAcknowledged(_ job: JobID, count: Int) throws(WindfireError) {
        try table.recordAcknowledged(job, count: count)
    }

    package func sweep(finishedBefore: UInt64, silence: Duration) -> JobSweep {
        table.sweep(finishedBefore: finishedBefore, silence: JobClock.milliseconds(silence), now: now())
    }

    package func close() {}
}
