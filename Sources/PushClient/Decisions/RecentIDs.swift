/// Message ids seen lately: a stored message that was sent again after a reconnect is shown once.
///
/// A ring and a set of the same ids. 1,024 is the inbox bound of the server, so a whole replay fits.
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
