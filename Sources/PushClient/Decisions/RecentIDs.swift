/// Ids of live messages seen lately: one that a job delivers a second time, because its first runner died, is shown
/// once. (Stored messages have `InboxCursor`.)
///
/// A ring and a set of the same ids.
struct RecentIDs: Sendable {
    static let countMax = 1_024

    private var ring: [String] = []
    private var next = 0
    private var known: Set<String> = []

    /// True when the id is new.
    mutating func insert(_ id: String) -> Bool {
        guard known.insert(id).inserted else { return false }
        if ring.count < Self.countMax {
            ring.append(id)
        } else {
            known.remove(ring[next])
            ring[next] = id
        }
        next = (next + 1) % Self.countMax
        return true
    }
}
