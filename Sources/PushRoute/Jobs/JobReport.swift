import Common

/// A job as `GET /v1/jobs/{id}` answers it.
struct JobReport: Encodable, Equatable, Sendable {
    let job: String
    let state: String
    /// Why a job failed, for people; absent otherwise.
    let reason: String?
    let owner: String
    /// `live` or `stored`; absent while the list is still being read.
    let mode: String?
    let total: Int
    let delivered: Int
    let offline: Int
    let stored: Int
    let failed: Int
    /// Clients no receipt is there for: to be served, or never tried in a job that was cancelled or failed.
    let untried: Int
    let acknowledged: Int
    /// Messages of a stored push that nobody had acknowledged when their time was over.
    let expired: Int
    let chunks: Int
    let doneChunks: Int
    /// Lines of the list that were no ids and were left out; absent when there were none.
    let skippedLines: Int?
    let resendOf: String?
    let ratePerSecond: Int?
    /// Unix time in seconds, as everywhere in the API.
    let createdAt: UInt64
    let finishedAt: UInt64?

    enum CodingKeys: String, CodingKey {
        case job, state, reason, owner, mode, total, delivered, offline, stored, failed, untried, acknowledged
        case expired, chunks
        case doneChunks = "done_chunks"
        case skippedLines = "skipped_lines"
        case resendOf = "resend_of"
        case ratePerSecond = "rate_per_s"
        case createdAt = "created_at"
        case finishedAt = "finished_at"
    }

    /// - Parameter now: Unix milliseconds.
    init(_ job: Job, now: UInt64) {
        self.job = job.id.description
        state = job.state.name
        if case .failed(let reason) = job.state { self.reason = reason } else { reason = nil }
        owner = job.owner
        mode = job.state == .receiving ? nil : (job.isStored ? PushParameters.Mode.stored : .live).rawValue
        total = job.total
        delivered = job.counts.delivered
        offline = job.counts.offline
        stored = job.counts.stored
        failed = job.counts.failed
        untried = job.untried
        acknowledged = job.counts.acknowledged
        let isOver = job.isStored && job.expiresAt.map { $0 <= now } ?? false
        expired = isOver ? max(0, delivered + stored - acknowledged) : 0
        chunks = job.chunkCount
        doneChunks = job.chunksDone
        skippedLines = job.skippedLines > 0 ? job.skippedLines : nil
        resendOf = job.resendOf?.description
        ratePerSecond = job.ratePerSecond
        createdAt = job.createdAt / 1_000
        finishedAt = job.finishedAt.map { $0 / 1_000 }
    }
}

/// `GET /v1/jobs`.
struct JobList: Encodable, Equatable, Sendable {
    /// Newest first.
    let jobs: [JobReport]
    /// What `after` takes for the next page; absent on the last one.
    let next: String?
}
