import Common
import DequeModule

/// What was published and is not on its way to subscribers yet, by topic. While one message goes out, those that come
/// after it gather here and then leave together: the busier a topic, the more of its messages share one write. So
/// nothing waits that need not, and a shard that falls behind does less for each message.
///
/// Bounded by its callers: every publisher waits for the answers to its last calls.
package struct TopicQueue<Element> {
    /// Of data in one run: what waits behind a run for one slow session is dropped or kept whole.
    package static var bytesMax: Int { 64 << 10 }
    package static var countMax: Int { 256 }

    private struct Waiting {
        let element: Element
        let bytes: Int
    }

    private var waiting: [Topic: Deque<Waiting>] = [:]

    package init() {}

    package var isEmpty: Bool { waiting.isEmpty }

    /// - Returns: whether it is the first that waits of its topic: the topic takes its place in the line then.
    package mutating func append(_ element: Element, bytes: Int, to topic: Topic) -> Bool {
        waiting[topic, default: []].append(Waiting(element: element, bytes: bytes))
        return waiting[topic]?.count == 1
    }

    /// The oldest of a topic that leave together, at least one if any waits.
    /// - Returns: `isMore`: there are others, which take their place in the line again.
    package mutating func takeRun(of topic: Topic) -> (elements: [Element], isMore: Bool) {
        guard var queue = waiting.removeValue(forKey: topic) else { return ([], false) }
        var bytes = 0
        var elements: [Element] = []
        while let next = queue.first, elements.isEmpty || bytes + next.bytes <= Self.bytesMax,
            elements.count < Self.countMax
        {
            bytes += next.bytes
            elements.append(next.element)
            queue.removeFirst()
        }
        if !queue.isEmpty { waiting[topic] = queue }
        return (elements, !queue.isEmpty)
    }
}
