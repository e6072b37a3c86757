import Common
import Synchronization

/// A job store that goes away and comes back.
final class FailingJobStore: JobStore {
    private let store: any JobStore
    private let state = Mutex((isAway: false, refusedReceipts: 0))

    init(_ store: any JobStore) { self.store = store }

    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }
    var refusedReceipts: Int { state.withLock { $0.refusedReceipts } }

    private func check() throws(WindfireError) {
        if isAway { throw JobFailure.unavailable("is away") }
    }

    func create(_ job: Job, receiver: Incarnation) async throws(WindfireError) {
        try check()
        try await store.create(job, receiver: receiver)
    }
    func append(_ chunk: JobChunk) async throws(WindfireError) {
        try check()
        try await store.append(chunk)
    }
    func touch(_ job: JobID) async throws(WindfireError) {
        try check()
        try await store.touch(job)
    }
    func seal(
        _ job: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int
    ) async throws(WindfireError) -> Job {
        try check()
        return try await store.seal(job, order, total: total, chunkCount: chunkCount, skippedLines: skippedLines)
    }
    func abandon(_ job: JobID, reason: String) async throws(WindfireError) -> Bool {
        try check()
        return try await store.abandon(job, reason: reason)
    }
    func lease(
        _ holder: Incarnation, max: Int, for duration: Duration, except: Set<JobID>
    ) async throws(WindfireError) -> [LeasedChunk] {
        try check()
        return try await store.lease(holder, max: max, for: duration, except: except)
    }
    func renew(_ leases: [ChunkLease], for duration: Duration) async throws(WindfireError) -> [ChunkLease] {
        try check()
        return try await store.renew(leases, for: duration)
    }
    func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) async throws(WindfireError) -> Bool {
        state.withLock { if $0.isAway { $0.refusedReceipts += 1 } }
        try check()
        return try await store.complete(lease, receipt)
    }
    func giveBack(_ leases: [ChunkLease]) async throws(WindfireError) {
        try check()
        try await store.giveBack(leases)
    }
    func cancel(_ job: JobID) async throws(WindfireError) -> Job {
        try check()
        return try await store.cancel(job)
    }
    func job(_ id: JobID) async throws(WindfireError) -> Job {
        try check()
        return try await store.job(id)
    }
    func specification(of job: JobID) async throws(WindfireError) -> [UInt8] {
        try check()
        return try await store.specification(of: job)
    }
    func jobs(after cursor: JobID?, limit: Int) async throws(WindfireError) -> [Job] {
        try check()
        return try await store.jobs(after: cursor, limit: limit)
    }
    func undelivered(
        _ job: JobID, from position: UndeliveredPosition, limit: Int
    ) async throws(WindfireError) -> UndeliveredPage {
        try check()
        return try await store.undelivered(job, from: position, limit: limit)
    }
    func recordAcknowledged(_ job: JobID, count: Int) async throws(WindfireError) {
        try check()
        try await store.recordAcknowledged(job, count: count)
    }
    func sweep(finishedBefore: UInt64, silence: Duration) async throws(WindfireError) -> JobSweep {
        try check()
        return try await store.sweep(finishedBefore: finishedBefore, silence: silence)
    }
    func close() async { await store.close() }
}
