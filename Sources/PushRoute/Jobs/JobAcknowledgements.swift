import Common

/// Brings the count of acknowledgements from the inboxes, where nodes report them, to the jobs.
struct JobAcknowledgements: Sendable {
    /// Reports come in batches and late: how long after a message's end they are waited for.
    private static let delay: UInt64 = 3_600_000

    let store: any JobStore
    let inboxes: any InboxStore
    /// Unix milliseconds.
    var now: @Sendable () -> UInt64 = WallClock.milliseconds

    /// The jobs with their counts of now. Those that can still change are asked for and recorded; while either store is
    /// away they stand as they were recorded last.
    func refresh(_ jobs: [Job]) async -> [Job] {
        let now = now()
        let open = jobs.indices.filter { Self.isOpen(jobs[$0], now: now) }
        guard !open.isEmpty, let counts = try? await inboxes.acknowledgedCounts(open.map { jobs[$0].id }) else {
            return jobs
        }
        var jobs = jobs
        for (index, count) in zip(open, counts) where count > jobs[index].counts.acknowledged {
            jobs[index].counts.acknowledged = count
            try? await store.recordAcknowledged(jobs[index].id, count: count)
        }
        return jobs
    }

    /// Whether more acknowledgements may come: to a stored push that was sent, that not everybody has acknowledged, and
    /// whose messages have not ended.
    static func isOpen(_ job: Job, now: UInt64) -> Bool {
        let waiting = job.counts.delivered + job.counts.stored
        guard job.isStored, job.counts.acknowledged < waiting else { return false }
        return job.expiresAt.map { now < $0 + delay } ?? true
    }
}
