import Common
import Synchronization

/// The jobs whose lists are being read in this process: while a caller sends slowly, the store is told that somebody is
/// still there. As many as pushes are admitted at once.
package final class OpenJobs: Sendable {
    private let ids = Mutex<Set<JobID>>([])

    package init() {}

    func open(_ id: JobID) { ids.withLock { _ = $0.insert(id) } }
    func close(_ id: JobID) { ids.withLock { _ = $0.remove(id) } }
    var all: Set<JobID> { ids.withLock { $0 } }
}

/// Takes the lists of large pushes into a job store.
package struct JobReceiver: JobIntake {
    let store: any JobStore
    let receiver: Incarnation
    let open: OpenJobs
    let bell: JobBell
    let limits: Limits
    /// Unix milliseconds.
    var now: @Sendable () -> UInt64 = WallClock.milliseconds

    /// Tries to seal, since a job that is complete and refused all the same costs its caller the most.
    private static let sealsMax = 3

    package func begin(owner: String) async throws(WindfireError) -> JobID {
        try await begin(owner: owner, resendOf: nil)
    }

    func begin(owner: String, resendOf original: JobID?) async throws(WindfireError) -> JobID {
        let now = now()
        let id = JobID(
            UUIDv7(unixMilliseconds: now, random: (.random(in: .min ... .max), .random(in: .min ... .max))))
        try await store.create(
            Job(id: id, createdAt: now, owner: owner, resendOf: original), receiver: receiver)
        open.open(id)
        return id
    }

    package func add(_ chunk: [ClientID], index: Int, to job: JobID) async throws(WindfireError) {
        try await store.append(JobChunk(job: job, index: index, clients: chunk))
    }

    package func seal(
        _ job: JobID, push: PushParameters, total: Int, chunks: Int, skippedLines: Int
    ) async throws(WindfireError) {
        let order = order(for: job, push)
        var tries = 0
        while true {
            tries += 1
            do throws(WindfireError) {
                _ = try await store.seal(
                    job, order, total: total, chunkCount: chunks, skippedLines: skippedLines)
                break
            } catch {
                guard error.code == .jobsUnavailable, tries < Self.sealsMax else { throw error }
            }
        }
        open.close(job)
        bell.ring()
    }

    /// A job that was sealed after all, though the answer was lost, is cancelled: its caller was told that nothing was
    /// accepted.
    package func abandon(_ job: JobID, reason: String) async {
        open.close(job)
        do throws(WindfireError) {
            guard try await !store.abandon(job, reason: reason) else { return }
            try await store.cancel(job)
        } catch {
            // It is not there, has ended, or the store is away: then its silence ends it, as nobody speaks for it.
        }
    }

    private func order(for job: JobID, _ push: PushParameters) -> JobOrder {
        let life = push.timeToLive ?? (push.mode == .stored ? limits.inboxAge : nil)
        return JobOrder(
            specification: push.json(), isStored: push.mode == .stored, ratePerSecond: push.ratePerSecond,
            expiresAt: life.map { job.uuid.unixMilliseconds + JobClock.milliseconds($0) })
    }
}
