/// The record of revocations of the last hour, in order of the store's clock. Nodes read it to close live sessions.
struct RevocationLog {
    /// How long an entry is kept: an hour, which readers may be apart, and a margin.
    static let keptMilliseconds: UInt64 = 65 * 60 * 1000
    /// How far back `.start` reaches.
    static let startMilliseconds: UInt64 = 5 * 60 * 1000
    /// A cursor is handed out this much early, so that a clock set back by less leaves nothing out.
    static let marginMilliseconds: UInt64 = 10 * 1000

    private struct Entry {
        let at: UInt64
        let client: ClientID
        let generation: Generation
    }

    private var entries: [Entry] = []

    /// - Parameter now: milliseconds of the store's clock.
    mutating func record(_ client: ClientID, _ generation: Generation, now: UInt64) {
        let oldestKept = now.subtractingOrZero(Self.keptMilliseconds)
        // Trimmed when half of it is old, so that recording stays cheap.
        if entries.count >= 64, entries[entries.count / 2].at < oldestKept {
            entries.removeAll { $0.at < oldestKept }
        }
        entries.append(Entry(at: max(now, entries.last?.at ?? 0), client: client, generation: generation))
    }

    func page(since cursor: RevocationCursor, now: UInt64) -> RevocationPage {
        let since =
            cursor == .start ? now.subtractingOrZero(Self.startMilliseconds) : cursor.milliseconds
        var revoked: [ClientID: Generation] = [:]
        for entry in entries.reversed() {
            guard entry.at >= since else { break }
            revoked[entry.client] = max(revoked[entry.client] ?? .first, entry.generation)
        }
        let newest = max(now, entries.last?.at ?? 0)
        return RevocationPage(
            revoked: revoked, next: RevocationCursor(milliseconds: newest.subtractingOrZero(Self.marginMilliseconds)))
    }
}

extension UInt64 {
    fileprivate func subtractingOrZero(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
