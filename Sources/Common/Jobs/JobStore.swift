/// Where jobs live: their ids in chunks, who works on which, and the receipts. One contract, three implementations: in
/// memory (`InMemoryJobStore`, for tests), a file (`SQLiteJobStore`, the default) and a server (`MySQLJobStore`). The
/// contract suite in TestKit runs on all of them.
///
/// A store is shared: several PushRoutes, in several processes, receive and work off jobs side by side. Each call is
/// one transaction, and what a call answered is durable as the store's documentation says (docs/jobs.md).
///
/// **Whose clock.** Leases begin and end by the store's clock: the database server's for MySQL, this machine's for a
/// file and in memory, where all sharers are on one machine. So replicas with clocks that differ agree on when a lease
/// is over, and a replica whose clock runs ahead cannot take what others are working on. A holder measures with its own
/// monotonic clock from before it asked, which is never later than the store.
///
/// **At least once.** A holder that is slower than its lease is overtaken, and both may serve the same clients; the
/// message id makes that harmless. Counts are exact all the same: a chunk's receipt is taken once.
///
/// Every method throws `jobs_unavailable` when the database does not answer in time, is locked, damaged, or full; the
/// message says which. The caller then does not know whether the write happened, and every write is safe to repeat.
package protocol JobStore: Sendable {
    // MARK: Receiving

    /// Begins a job: state `receiving`, without chunks, whatever the given job says of these. The receiver is who reads
    /// the list; see `touch`. Repeating it with the same receiver is fine.
    /// - Throws: `conflict` when the id is taken.
    func create(_ job: Job, receiver: Incarnation) async throws(WindfireError)

    /// Adds ids. Appending the same chunk again changes nothing. Counts as `touch`.
    /// - Throws: `not_found`; `conflict` when the job is no longer receiving, or the index has other ids.
    func append(_ chunk: JobChunk) async throws(WindfireError)

    /// The receiver is alive, though the caller sends slowly. See `sweep`.
    /// - Throws: `not_found`; `conflict` when the job is no longer receiving: the receiver can stop reading.
    func touch(_ job: JobID) async throws(WindfireError)

    /// The list is complete: the job runs, or is finished at once when it is empty. Repeating it is fine.
    /// - Parameters:
    ///   - order: what is pushed. The first one counts.
    ///   - total, chunkCount: what the receiver appended, compared with what the store has.
    ///   - skippedLines: see `Job`.
    /// - Throws: `not_found`; `conflict` when the job is no longer receiving, or the numbers differ;
    ///   `payload_too_large`.
    func seal(
        _ job: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int
    ) async throws(WindfireError) -> Job

    /// The list will not be complete: the job failed. Its chunks are never leased.
    /// - Returns: whether it was receiving; otherwise nothing happens.
    /// - Throws: `not_found`.
    @discardableResult
    func abandon(_ job: JobID, reason: String) async throws(WindfireError) -> Bool

    // MARK: Working

    /// Chunks to work on. First those whose lease ran out, with a higher attempt; then new ones, in turn from the
    /// running jobs, the least recently served first, so that a huge job does not starve a small one.
    /// - Parameters:
    ///   - max: 1 to `JobLimits.leasesPerCallMax`.
    ///   - duration: between `JobLimits.leaseMin` and `leaseMax`.
    ///   - except: jobs of which the holder wants no chunk now; at most `JobLimits.exceptionsMax`.
    /// - Returns: none when there is nothing to do now.
    func lease(
        _ holder: Incarnation, max: Int, for duration: Duration, except: Set<JobID>
    ) async throws(WindfireError) -> [LeasedChunk]

    /// Lets leases last for `duration` from now, also those that ran out and were not taken over. So a holder that
    /// cannot serve a chunk now puts it off: it goes to whoever asks after that time, as another attempt.
    /// - Returns: those still held. Work on the others is in vain, and can stop.
    func renew(_ leases: [ChunkLease], for duration: Duration) async throws(WindfireError) -> [ChunkLease]

    /// A chunk is done. In one step the chunk is marked, its numbers are added to the job's, and the last one ends the
    /// job.
    /// - Returns: false when the lease was lost, or was completed before; nothing is counted then.
    @discardableResult
    func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) async throws(WindfireError) -> Bool

    /// Chunks that were leased and not begun: free for others at once, and their attempt does not count. For an orderly
    /// stop. Leases that were lost are left alone.
    func giveBack(_ leases: [ChunkLease]) async throws(WindfireError)

    /// No further chunk is begun. Those worked on complete and count; the job is `cancelled` when none is left.
    /// - Returns: the job after that. Cancelling a job that is cancelled already changes nothing.
    /// - Throws: `not_found`; `conflict` when it finished or failed before.
    @discardableResult
    func cancel(_ job: JobID) async throws(WindfireError) -> Job

    // MARK: Looking

    /// - Throws: `not_found`.
    func job(_ id: JobID) async throws(WindfireError) -> Job

    /// What was given to `seal`. Apart from `job`, which is asked again and again for progress: it may be megabytes.
    /// - Throws: `not_found`; `conflict` when the job was never sealed.
    func specification(of job: JobID) async throws(WindfireError) -> [UInt8]

    /// Newest first, by id.
    /// - Parameters:
    ///   - cursor: the last job of the page before; nil for the first page.
    ///   - limit: 1 to `JobLimits.jobsPerPageMax`.
    func jobs(after cursor: JobID?, limit: Int) async throws(WindfireError) -> [Job]

    /// Who was not delivered to, in the order of the list, and once the job has ended also who was not tried. While it
    /// runs, chunks that are not done are passed over: for a list without holes, wait for the end.
    /// - Parameter limit: 1 to `JobLimits.undeliveredPerPageMax`.
    /// - Throws: `not_found`.
    func undelivered(
        _ job: JobID, from position: UndeliveredPosition, limit: Int
    ) async throws(WindfireError) -> UndeliveredPage

    /// How many clients have acknowledged so far. A count that is not above the recorded one changes nothing.
    /// - Throws: `not_found`.
    func recordAcknowledged(_ job: JobID, count: Int) async throws(WindfireError)

    // MARK: Keeping house

    /// Deletes jobs that ended before a time, with chunks and receipts, in bounded steps; and lets jobs fail whose
    /// receiver was silent for too long, with `JobSweep.bodyEndedEarly` as the reason.
    /// - Parameters:
    ///   - finishedBefore: Unix milliseconds.
    ///   - silence: how long a receiver may be silent, by the store's clock.
    func sweep(finishedBefore: UInt64, silence: Duration) async throws(WindfireError) -> JobSweep

    /// Ends the store's connections and threads. To be called last; a database's store then refuses with
    /// `jobs_unavailable`.
    func close() async
}

extension JobStore {
    /// As above, of any job.
    package func lease(
        _ holder: Incarnation, max: Int, for duration: Duration
    ) async throws(WindfireError) -> [LeasedChunk] {
        try await lease(holder, max: max, for: duration, except: [])
    }
}

/// What one `sweep` did. Jobs whose receiver died fail with `bodyEndedEarly` as the reason.
package struct JobSweep: Hashable, Sendable {
    package static let bodyEndedEarly = "the body ended early"

    package var jobsDeleted: Int
    package var chunksDeleted: Int
    /// Jobs that failed because their receiver was silent.
    package var jobsFailed: Int
    /// There is more to delete: sweep again soon.
    package var hasMore: Bool

    package init(jobsDeleted: Int = 0, chunksDeleted: Int = 0, jobsFailed: Int = 0, hasMore: Bool = false) {
        self.jobsDeleted = jobsDeleted
        self.chunksDeleted = chunksDeleted
        self.jobsFailed = jobsFailed
        self.hasMore = hasMore
    }
}
