import Common

/// How far the messages of one topic have come here, as far as the topic keeps a history: where a `subscribe` after a
/// reconnect goes on from.
///
/// The place is not simply the furthest that was seen. What two publishers say at once may arrive as 7, 6: whoever
/// loses the connection in between and goes on from 7 never hears of 6. So the place is the one up to which everything
/// was shown or told as missed; what was seen beyond a hole is remembered until the hole is filled. A hole that stays
/// while `aheadMax` messages come behind it is given up: the server left them out, and did so knowingly.
struct TopicProgress: Equatable, Sendable {
    static let aheadMax = 256

    /// Everything up to here was shown, or told as missed. Nil while nothing is known.
    private(set) var position: HistoryPosition?
    /// Offsets beyond a hole, rising, all of the position's epoch.
    private var ahead: [UInt64] = []
    /// Of the holes that come next, so many messages were told to be gone.
    private var told: UInt64 = 0
    /// The same in a history that was begun anew, and has not shown a message yet.
    private var toldOfNext: UInt64 = 0
    /// Told on the connection before, and told again now: `since` is still in front of that hole.
    private var toldBefore: UInt64 = 0

    /// - Parameter start: where the topic's history is, or what the application kept; only the first is taken.
    mutating func begin(at start: HistoryPosition) { position = position ?? start }

    /// The topic keeps nothing any more, or not what was counted.
    mutating func forget() { self = TopicProgress() }

    /// It is about to be asked for again what came after `position`.
    mutating func rejoin() {
        toldBefore = toldBefore.addingSaturated(max(told, toldOfNext))
        (told, toldOfNext) = (0, 0)
    }

    /// - Returns: whether it is certain that it was here before.
    mutating func received(_ place: HistoryPosition) -> Bool {
        guard var known = position else {
            position = place
            return false
        }
        if place.epoch > known.epoch {
            // A new counting. It was begun while we listened, so its first messages are on their way or lie before us.
            known = HistoryPosition(epoch: place.epoch, offset: 0)
            (position, ahead) = (known, [])
            (told, toldOfNext) = (toldOfNext, 0)
        }
        // What comes late may be new all the same.
        guard place.epoch == known.epoch, place.offset > known.offset else { return false }
        let index = ahead.lastIndex { $0 <= place.offset }
        if let index, ahead[index] == place.offset { return true }
        ahead.insert(place.offset, at: index.map { $0 + 1 } ?? 0)
        advance()
        return false
    }

    /// What lies between is not to come: the topic's rule leaves it out.
    mutating func passed(_ place: HistoryPosition) {
        guard let known = position, place.epoch == known.epoch, place.offset > known.offset else { return }
        position = place
        ahead.removeAll { $0 <= place.offset }
        advance()
    }

    /// The server has told that so many messages cannot be had any more.
    /// - Returns: how many of them are not counted yet.
    mutating func missed(_ count: UInt64, _ reason: String) -> UInt64 {
        let again = min(count, toldBefore)
        toldBefore -= again
        var new = count - again
        switch reason {
        case "from-the-future":
            // The store was set back, and where it is now is not said.
            forget()
        case "other-epoch": toldOfNext = toldOfNext.addingSaturated(count)
        case "trimmed":
            guard let known = position else { break }
            // The oldest are gone; some of them were here before.
            let had = UInt64(ahead.count { $0 - known.offset <= count })
            told = told.addingSaturated(count - had)
            new -= min(new, had)
            advance()
        default: told = told.addingSaturated(count)
        }
        return new
    }

    private mutating func advance() {
        guard let known = position, !ahead.isEmpty else { return }
        var offset = known.offset
        var done = 0
        while done < ahead.count {
            let hole = ahead[done] - offset - 1
            guard hole <= told || ahead.count - done > Self.aheadMax else { break }
            told -= min(hole, told)
            offset = ahead[done]
            done += 1
        }
        guard done > 0 else { return }
        ahead.removeFirst(done)
        // What was told before lay in front of this.
        toldBefore = 0
        position = HistoryPosition(epoch: known.epoch, offset: offset)
    }
}

extension FixedWidthInteger {
    /// No number from outside can make a sum trap.
    func addingSaturated(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
