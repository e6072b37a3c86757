import Common
import HTTPSupport

/// What callers may ask of jobs. A `push` key sees the jobs it has made, and no others: to it they are not there.
/// `ops` and `admin` keys see all.
struct JobDesk: Sendable {
    /// Rows a page of a `push` key may look through; the page is shorter when they are of others.
    private static let scannedMax = 10 * JobLimits.jobsPerPageMax

    let store: any JobStore
    let receiver: JobReceiver
    let acknowledgements: JobAcknowledgements
    let limits: Limits
    /// Unix milliseconds.
    var now: @Sendable () -> UInt64 = WallClock.milliseconds

    /// - Throws: `not_found`; `jobs_unavailable`.
    func job(_ id: JobID, for key: APIKey) async throws(WindfireError) -> Job {
        let job = try await store.job(id)
        guard Self.sees(key, job) else { throw JobFailure.notFound() }
        return job
    }

    /// With its acknowledgements of now.
    func report(_ id: JobID, for key: APIKey) async throws(WindfireError) -> JobReport {
        let job = try await job(id, for: key)
        return JobReport(await acknowledgements.refresh([job]).first ?? job, now: now())
    }

    func list(after cursor: JobID?, limit: Int, for key: APIKey) async throws(WindfireError) -> JobList {
        var page: [Job] = []
        var cursor = cursor
        var scanned = 0
        var isEnd = false
        while page.count < limit, scanned < Self.scannedMax, !isEnd {
            // A key that sees all fills its page at once; for others most rows may be somebody else's.
            let rows = key.role == .push ? JobLimits.jobsPerPageMax : limit
            let jobs = try await store.jobs(after: cursor, limit: rows)
            scanned += jobs.count
            isEnd = jobs.count < rows
            for job in jobs {
                guard page.count < limit else {
                    isEnd = false
                    break
                }
                cursor = job.id
                if Self.sees(key, job) { page.append(job) }
            }
        }
        let now = now()
        let reports = await acknowledgements.refresh(page).map { JobReport($0, now: now) }
        return JobList(jobs: reports, next: isEnd ? nil : cursor?.description)
    }

    /// Cancelling again changes nothing.
    /// - Throws: `conflict` when it has finished or failed.
    func cancel(_ id: JobID, for key: APIKey) async throws(WindfireError) -> JobReport {
        _ = try await job(id, for: key)
        return JobReport(try await store.cancel(id), now: now())
    }

    /// Makes a new job of those that were not delivered to. Left out are those whose message waits in the inbox: they
    /// would get it twice.
    /// - Returns: its id, and for how many clients it is.
    /// - Throws: `conflict` while the job has not ended, or when its list was never complete.
    func resend(_ id: JobID, for key: APIKey) async throws(WindfireError) -> (job: JobID, total: Int) {
        let job = try await job(id, for: key)
        guard job.state.isEnded else { throw JobFailure.wrongState(job.state) }
        let push = try PushParameters(json: try await store.specification(of: id), limits: limits)
        let waits = job.expiresAt.map { now() < $0 } ?? true
        let new = try await receiver.begin(owner: key.name, resendOf: id)
        do throws(WindfireError) {
            let (total, chunks) = try await copy(id, to: new) { !waits || $0.reason != .stored }
            try await receiver.seal(new, push: push, total: total, chunks: chunks, skippedLines: 0)
            return (new, total)
        } catch {
            await receiver.abandon(new, reason: error.code.name)
            throw error
        }
    }

    private func copy(
        _ id: JobID, to new: JobID, _ isWanted: (Undelivered) -> Bool
    ) async throws(WindfireError) -> (total: Int, chunks: Int) {
        let size = min(limits.targetsPerChunkMax, JobLimits.chunkClientsMax)
        var (total, chunks) = (0, 0)
        var rest: [ClientID] = []
        var position: UndeliveredPosition? = .start
        while let from = position {
            let page = try await store.undelivered(id, from: from, limit: size)
            position = page.next
            rest += page.rows.lazy.filter(isWanted).map(\.client)
            while rest.count >= size || position == nil && !rest.isEmpty {
                let chunk = Array(rest.prefix(size))
                rest.removeFirst(chunk.count)
                try await receiver.add(chunk, index: chunks, to: new)
                total += chunk.count
                chunks += 1
            }
        }
        return (total, chunks)
    }

    private static func sees(_ key: APIKey, _ job: Job) -> Bool { key.role != .push || job.owner == key.name }
}
