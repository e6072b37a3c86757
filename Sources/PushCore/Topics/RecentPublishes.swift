import Common
import NIOCore

/// Which publishes a node has taken, so that one that is called again, because its answer was lost or its caller's
/// dedupe key came to another PushRoute, reaches nobody twice.
///
/// Two sets, one of which is thrown away whole when the window ends: an id is remembered for at least one window and at
/// most two, and forgetting costs nothing per id. Bounded: when a set is full before its window ends, the window ends
/// early, and that is counted. Memory: some 120 bytes an id, twice `idsMax` of them at most.
package struct RecentPublishes {
    private let window: TimeAmount
    private let idsMax: Int
    private var current: Set<MessageID> = []
    private var previous: Set<MessageID> = []
    private var windowEnd: NIODeadline
    /// How often there were more publishes than can be remembered for a whole window.
    package private(set) var shortenedCount = 0

    /// - Parameter window: longer than a caller tries again.
    package init(window: TimeAmount = .seconds(30), idsMax: Int = 65_536, now: NIODeadline) {
        precondition(idsMax > 0, "at least one publish is remembered")
        self.window = window
        self.idsMax = idsMax
        windowEnd = now + window
    }

    package var count: Int { current.count + previous.count }

    /// - Returns: whether it was not here before.
    package mutating func note(_ id: MessageID, now: NIODeadline) -> Bool {
        if now >= windowEnd {
            // After two windows of silence, nothing of the present one is young enough either.
            if now >= windowEnd + window { current = [] }
            beginWindow(now: now)
        }
        guard !previous.contains(id), !current.contains(id) else { return false }
        if current.count >= idsMax {
            shortenedCount += 1
            beginWindow(now: now)
        }
        current.insert(id)
        return true
    }

    private mutating func beginWindow(now: NIODeadline) {
        (previous, current) = (current, [])
        windowEnd = now + window
    }
}
