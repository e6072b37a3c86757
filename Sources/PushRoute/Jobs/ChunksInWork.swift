import Common

/// The chunks this process works on, and how many more it may take. Pure.
///
/// A chunk of a slow job, which takes longer than a second because of its pace, waits for most of that time. It holds
/// none of the places in which work is done, so that a push to everyone at ten a second does not stop everyone else;
/// but a slow job has one chunk in work here, and no more are leased until that one has ended.
struct ChunksInWork {
    struct Key: Hashable {
        let job: JobID
        let index: Int
        let attempt: Int

        init(_ lease: ChunkLease) { (job, index, attempt) = (lease.job, lease.index, lease.attempt) }
    }

    private struct Entry {
        let lease: ChunkLease
        let isSlow: Bool
        /// Somebody else has the chunk now.
        var isLost = false
    }

    let places: Int
    let slowMax: Int
    private var entries: [Key: Entry] = [:]

    init(places: Int, slowMax: Int) {
        self.places = places
        self.slowMax = slowMax
    }

    /// How many chunks to lease. None as long as there is no room for another slow job, which any chunk may be of.
    var free: Int {
        let slow = entries.values.count { $0.isSlow }
        return slow < slowMax ? places - (entries.count - slow) : 0
    }

    /// No more chunks of these.
    var slowJobs: Set<JobID> { Set(entries.lazy.filter { $0.value.isSlow }.map(\.key.job)) }

    /// - Returns: false when the chunk is of a slow job that has another in work: it goes back.
    mutating func begin(_ lease: ChunkLease, isSlow: Bool) -> Bool {
        guard !isSlow || !slowJobs.contains(lease.job) else { return false }
        entries[Key(lease)] = Entry(lease: lease, isSlow: isSlow)
        return true
    }

    mutating func end(_ lease: ChunkLease) { entries[Key(lease)] = nil }

    /// To be renewed.
    var leases: [ChunkLease] { entries.values.filter { !$0.isLost }.map(\.lease) }

    /// The store was asked to renew some and still knows others: the rest is lost.
    mutating func renewed(_ held: [ChunkLease], of asked: [ChunkLease]) {
        for key in Set(asked.map(Key.init)).subtracting(held.map(Key.init)) { entries[key]?.isLost = true }
    }

    func isLost(_ lease: ChunkLease) -> Bool { entries[Key(lease)]?.isLost ?? true }

    var jobs: Set<JobID> { Set(entries.keys.map(\.job)) }
}
