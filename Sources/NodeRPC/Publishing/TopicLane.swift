import Common
import DequeModule

/// The messages for one topic, in the order in which they were submitted. While the store is asked where some of them
/// go, the others wait; what waits then is asked for together. So the order holds whatever the store takes, a look-up
/// always begins after its messages were submitted, and the more is published the fewer look-ups each message costs.
///
/// Pure. The bounds of what waits are the desk's.
struct TopicLane<Ticket: Sendable>: Sendable {
    /// What the topic keeps: looked up in the rules once, when the lane begins.
    let history: TopicRule.History?
    private var waiting: Deque<PendingPublish<Ticket>> = []
    /// Those of the look-up under way; never empty during one.
    private var asked: [PendingPublish<Ticket>] = []
    /// Messages that are not settled: they wait, are asked for, or are with the nodes.
    private(set) var openCount = 0

    init(history: TopicRule.History? = nil) { self.history = history }

    /// Nothing is left to do: the lane may go, and begins anew with the next message.
    var isIdle: Bool { openCount == 0 }

    mutating func add(_ publish: PendingPublish<Ticket>) {
        waiting.append(publish)
        openCount += 1
    }

    /// - Returns: what is to be asked for next, or nil while a look-up is under way or nothing waits. At most what one
    ///   call to a node takes.
    mutating func beginLookup() -> [PendingPublish<Ticket>]? {
        guard asked.isEmpty, !waiting.isEmpty else { return nil }
        let count = PublishBatch.fitting(waiting) { $0.message.data.count }
        asked = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        return asked
    }

    /// The look-up has ended, well or not.
    /// - Returns: the messages it was for.
    mutating func endLookup() -> [PendingPublish<Ticket>] {
        defer { asked = [] }
        return asked
    }

    /// So many messages have reached their end.
    mutating func settled(_ count: Int = 1) {
        precondition(count <= openCount, "a message is settled once")
        openCount -= count
    }
}

extension PublishBatch {
    /// How many of the first elements go into one call: at least one, if there are any.
    static func fitting<Elements: Collection>(_ elements: Elements, bytes: (Elements.Element) -> Int) -> Int {
        var count = 0
        var sum = 0
        for element in elements.prefix(publicationsMax) {
            sum += bytes(element)
            guard count == 0 || sum <= bytesMax else { break }
            count += 1
        }
        return count
    }
}
