/// What the store in memory remembers of pushes themselves: keys that may not be used twice, and counters of jobs. Both
/// end by themselves; what has ended is dropped when the number of entries has doubled.
struct PushMemory {
    private struct Entry<Value> {
        var value: Value
        /// Unix milliseconds.
        var end: UInt64
    }

    private var keys: [String: Entry<String>] = [:]
    private var counts: [JobID: Entry<Int>] = [:]
    private var entriesAtLastSweep = 64

    /// - Returns: the id of the earlier push with this key, if there is one.
    mutating func remember(_ key: String, as id: String, until end: UInt64, now: UInt64) -> String? {
        sweep(now: now)
        if let earlier = keys[key], earlier.end > now { return earlier.value == id ? nil : earlier.value }
        keys[key] = Entry(value: id, end: end)
        return nil
    }

    mutating func forget(_ key: String) { keys[key] = nil }

    mutating func add(_ count: Int, to job: JobID, until end: UInt64, now: UInt64) {
        sweep(now: now)
        counts[job] = Entry(value: self.count(of: job, now: now) + count, end: end)
    }

    func count(of job: JobID, now: UInt64) -> Int {
        guard let entry = counts[job], entry.end > now else { return 0 }
        return entry.value
    }

    private mutating func sweep(now: UInt64) {
        guard keys.count + counts.count >= 2 * entriesAtLastSweep else { return }
        keys = keys.filter { $0.value.end > now }
        counts = counts.filter { $0.value.end > now }
        entriesAtLastSweep = max(64, keys.count + counts.count)
    }
}
