// A job's ids travel in chunks: appended by who receives the list, leased by who serves them, and answered with a
// receipt.

/// Consecutive ids of a job's list.
package struct JobChunk: Hashable, Sendable {
    package let job: JobID
    /// From 0, without gaps.
    package let index: Int
    package let clients: [ClientID]

    /// - Precondition: 1 to `JobLimits.chunkClientsMax` clients.
    package init(job: JobID, index: Int, clients: [ClientID]) {
        precondition(index >= 0, "chunks are counted from 0")
        precondition(!clients.isEmpty, "a chunk has clients")
        precondition(clients.count <= JobLimits.chunkClientsMax, "a chunk is bounded")
        self.job = job
        self.index = index
        self.clients = clients
    }
}

/// The right to work on a chunk for some time.
package struct ChunkLease: Hashable, Sendable {
    package let job: JobID
    package let index: Int
    package let holder: Incarnation
    /// 1 the first time. More means that somebody began before and died or was too slow: some of its clients may have
    /// been served. A chunk that was given back counts as not begun.
    package let attempt: Int
    /// By the store's clock, Unix milliseconds: to look at, not to compare with one's own clock. A holder counts the
    /// duration it asked for from before it asked, on its monotonic clock.
    package let expiresAt: UInt64

    package init(job: JobID, index: Int, holder: Incarnation, attempt: Int, expiresAt: UInt64) {
        self.job = job
        self.index = index
        self.holder = holder
        self.attempt = attempt
        self.expiresAt = expiresAt
    }
}

package struct LeasedChunk: Hashable, Sendable {
    package let lease: ChunkLease
    package let clients: [ClientID]

    package init(lease: ChunkLease, clients: [ClientID]) {
        self.lease = lease
        self.clients = clients
    }
}

/// What became of a chunk's clients: the numbers of all, and the names of those that were not delivered to.
package struct ChunkReceipt: Hashable, Sendable {
    /// Acknowledgements come later and elsewhere; those in here are ignored.
    package let counts: JobCounts
    package let undelivered: [Undelivered]

    package init(counts: JobCounts, undelivered: [Undelivered]) {
        self.counts = counts
        self.undelivered = undelivered
    }
}

/// A client that was not delivered to, and why.
package struct Undelivered: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// No connection.
        case offline
        /// No connection; the message waits in the inbox.
        case stored
        /// Could not be tried; the name of the failure, as docs/errors.md lists them.
        case failed(String)
        /// The job ended before its chunk was begun.
        case notTried
    }

    package let client: ClientID
    package let reason: Reason

    package init(client: ClientID, reason: Reason) {
        self.client = client
        self.reason = reason
    }
}

/// A place in the list of a job's undelivered clients: after so many rows of this chunk.
package struct UndeliveredPosition: Hashable, Sendable {
    package let chunk: Int
    package let offset: Int

    package init(chunk: Int, offset: Int) {
        self.chunk = chunk
        self.offset = offset
    }

    package static let start = UndeliveredPosition(chunk: 0, offset: 0)
}

package struct UndeliveredPage: Hashable, Sendable {
    package let rows: [Undelivered]
    /// Where the next page begins; nil at the end.
    package let next: UndeliveredPosition?

    package init(rows: [Undelivered], next: UndeliveredPosition?) {
        self.rows = rows
        self.next = next
    }
}
