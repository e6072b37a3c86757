/// A push to many clients, as a `JobStore` knows it. What is pushed is not in here: see `JobStore.specification(of:)`.
package struct Job: Hashable, Sendable {
    package let id: JobID
    /// When its creator made it, by the creator's clock; Unix milliseconds.
    package let createdAt: UInt64
    /// The name of the API key that made it; at most `JobLimits.ownerBytesMax` bytes.
    package let owner: String
    /// The job whose undelivered clients this one is sent to.
    package let resendOf: JobID?
    /// As its `JobOrder` said; until that is known, a live push without bounds.
    package var isStored = false
    package var ratePerSecond: Int?
    package var expiresAt: UInt64?

    package var state: JobState
    /// Clients it is for. Grows while the ids are received, then stays.
    package var total: Int
    /// Chunks these were cut into. Grows likewise.
    package var chunkCount: Int
    /// Chunks that somebody works on, or died working on.
    package var chunksLeased: Int
    package var chunksDone: Int
    /// Lines of the list that were no client ids and were left out, by the caller's choice.
    package var skippedLines: Int
    package var counts: JobCounts
    /// When it came to an end, by the store's clock; Unix milliseconds.
    package var finishedAt: UInt64?

    package init(id: JobID, createdAt: UInt64, owner: String, resendOf: JobID? = nil) {
        self.id = id
        self.createdAt = createdAt
        self.owner = owner
        self.resendOf = resendOf
        state = .receiving
        (total, chunkCount, chunksLeased, chunksDone, skippedLines) = (0, 0, 0, 0, 0)
        counts = JobCounts()
    }

    /// Chunks nobody has begun.
    package var chunksPending: Int { chunkCount - chunksLeased - chunksDone }

    /// Clients no receipt is there for: still to be tried or, once the job has ended, never tried.
    package var untried: Int { total - counts.delivered - counts.offline - counts.failed }
}

/// Where a job is in its life. docs/jobs.md has the picture.
package enum JobState: Hashable, Sendable {
    /// The ids are being read and appended as chunks; nobody is served yet. Becomes running, finished (when there are
    /// no ids), cancelled, or failed.
    case receiving
    /// All ids are stored, and chunks are worked off. Becomes finished, cancelling, or cancelled.
    case running
    /// Cancelled while chunks were worked on: these complete and count, no other is begun. Becomes cancelled.
    case cancelling
    /// Every chunk is done.
    case finished
    /// Ended on request; chunks that were not begun never will be.
    case cancelled
    /// The ids were never complete, and nobody was served. The reason is for people.
    case failed(reason: String)

    package var isEnded: Bool {
        switch self {
        case .receiving, .running, .cancelling: false
        case .finished, .cancelled, .failed: true
        }
    }

    /// Without the reason; the word of the API and of the stores.
    package var name: String {
        switch self {
        case .receiving: "receiving"
        case .running: "running"
        case .cancelling: "cancelling"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .failed: "failed"
        }
    }

    /// Nil when the name is none of the six.
    package init?(name: String, reason: String?) {
        switch name {
        case "receiving": self = .receiving
        case "running": self = .running
        case "cancelling": self = .cancelling
        case "finished": self = .finished
        case "cancelled": self = .cancelled
        case "failed": self = .failed(reason: reason ?? "")
        default: return nil
        }
    }
}

/// What became of clients. A client is in exactly one of `delivered`, `offline` and `failed`.
package struct JobCounts: Hashable, Sendable {
    /// Written to at least one connection.
    package var delivered = 0
    /// Had no connection.
    package var offline = 0
    /// Of the offline ones, those whose message waits in the inbox.
    package var stored = 0
    /// Could not be tried.
    package var failed = 0
    /// Of all, those of whom at least one device has acknowledged.
    package var acknowledged = 0

    package init(delivered: Int = 0, offline: Int = 0, stored: Int = 0, failed: Int = 0, acknowledged: Int = 0) {
        self.delivered = delivered
        self.offline = offline
        self.stored = stored
        self.failed = failed
        self.acknowledged = acknowledged
    }
}
