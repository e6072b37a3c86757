import Common
import DequeModule
import NIOCore

/// What arrives for one topic within a window leaves as one batch: a room of danmaku takes one frame per window,
/// however many remarks are made, and it is encoded once for all.
///
/// The window opens with the first message, so nobody waits longer than one window and a quiet topic costs nothing.
/// What finds no room, by count or by bytes, is left out by the rule's policy and counted. What stays keeps its order.
/// A message larger than all bytes of a batch is alone in its batch, until a later one takes its place.
package struct MergeWindow<Element> {
    package struct Batch {
        package let elements: [Element]
        /// Messages of this window that are not in the batch: subscribers are told.
        package let leftOut: Int

        package init(elements: [Element], leftOut: Int) {
            self.elements = elements
            self.leftOut = leftOut
        }
    }

    package struct Counts: Equatable, Sendable {
        package var received = 0
        package var sent = 0
        package var batches = 0
        package var leftOut = 0

        package init(received: Int = 0, sent: Int = 0, batches: Int = 0, leftOut: Int = 0) {
            self.received = received
            self.sent = sent
            self.batches = batches
            self.leftOut = leftOut
        }
    }

    package enum Offer: Equatable, Sendable {
        /// The window is open now: `take` at this time.
        case opened(until: NIODeadline)
        case waits
        /// The message waits, and so many others were left out for it.
        case displaced(Int)
        /// The message itself is left out.
        case leftOut
    }

    private struct Waiting {
        let element: Element
        let bytes: Int
    }

    private let rule: TopicRule.Merge
    private var waiting: Deque<Waiting> = []
    private var byteCount = 0
    /// Messages of the open window.
    private var seen = 0
    /// When the open window ends; nil while nothing waits.
    package private(set) var deadline: NIODeadline?
    package private(set) var counts = Counts()

    package init(_ rule: TopicRule.Merge) { self.rule = rule }

    package var isOpen: Bool { deadline != nil }

    /// - Parameters:
    ///   - bytes: of its data.
    ///   - random: is asked by the policy `sample` alone, and only when there is no room.
    package mutating func offer(
        _ element: Element, bytes: Int, now: NIODeadline, random: inout some RandomNumberGenerator
    ) -> Offer {
        counts.received += 1
        seen += 1
        guard deadline != nil else {
            let end = now + TimeAmount(rule.window)
            deadline = end
            append(element, bytes)
            return .opened(until: end)
        }
        var displaced = 0
        while !waiting.isEmpty, waiting.count >= rule.messagesMax || byteCount + bytes > rule.bytesMax {
            guard let place = placeToEmpty(isFirst: displaced == 0, random: &random) else {
                counts.leftOut += 1
                return .leftOut
            }
            byteCount -= waiting.remove(at: place).bytes
            displaced += 1
        }
        append(element, bytes)
        counts.leftOut += displaced
        return displaced == 0 ? .waits : .displaced(displaced)
    }

    /// What the window brought, when its time has come.
    package mutating func take(now: NIODeadline) -> Batch? {
        guard let deadline, deadline <= now else { return nil }
        return takeAll()
    }

    /// The same before its time: the node stops, or the rule changes.
    package mutating func takeAll() -> Batch? {
        guard !waiting.isEmpty else { return nil }
        let batch = Batch(elements: waiting.map(\.element), leftOut: seen - waiting.count)
        counts.sent += waiting.count
        counts.batches += 1
        waiting.removeAll(keepingCapacity: true)
        (byteCount, seen, deadline) = (0, 0, nil)
        return batch
    }

    /// Which of those that wait makes room in a full window; nil when the new one is left out.
    ///
    /// `sample` is Vitter's algorithm R ("Random sampling with a reservoir", 1985): the n-th message is kept with
    /// chance
    /// room/n, in place of any other. A large one that was kept takes the place of several.
    private func placeToEmpty(isFirst: Bool, random: inout some RandomNumberGenerator) -> Int? {
        switch rule.policy {
        case .keepLatest: return 0
        case .sample:
            let drawn = Int(random.next(upperBound: UInt64(isFirst ? seen : waiting.count)))
            return drawn < waiting.count ? drawn : nil
        }
    }

    private mutating func append(_ element: Element, _ bytes: Int) {
        waiting.append(Waiting(element: element, bytes: bytes))
        byteCount += bytes
    }
}

extension MergeWindow.Batch: Equatable where Element: Equatable {}
extension MergeWindow.Batch: Sendable where Element: Sendable {}
