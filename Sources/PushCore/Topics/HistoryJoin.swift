import Common
import NIOCore

/// One `subscribe` with `since`: what is replayed from the topic's history, and how the live flow is joined to it
/// without a gap and without a message twice.
///
/// ```
///   reading ── page, and there is more, or more was heard of ──► reading
///   reading ── last page: what was held goes out ──► trailing ── after a while ──► over
/// ```
///
/// While pages are read, live messages are held: the newest `heldMax` of them. That any is dropped does no harm,
/// because reading goes on until the history was read as far as anything was heard of. A live message may also come
/// later than the page that had it: so for some time after the last page, live messages up to the replayed place are
/// known as duplicates. Then the session is a subscriber like every other.
///
/// What cannot be replayed is told as a `gap`, with its size, before what follows it; never silently left out. A topic
/// that grows faster than it can be read ends after `readsMax` pages, with a gap too.
///
/// The session's shard feeds it; a page that is to be read may be read later, when the connection takes bytes again.
package struct HistoryJoin<Element: Sendable>: Sendable {
    package struct Rules: Sendable {
        /// Live messages held while pages are read.
        package var heldMax = 128
        package var readsMax = 256
        /// How much later a live message may come than the page that had it.
        package var trail: TimeAmount = .seconds(10)

        package init() {}
    }

    /// What is to be done, in this order.
    package struct Step: Sendable {
        /// Lies before or among what is sent in this step.
        package var gap: HistoryGap?
        package var send: [Element] = []
        /// Read the page after this place.
        package var read: HistoryPosition?

        package init() {}
    }

    package enum Verdict: Equatable, Sendable {
        case send
        /// It was replayed.
        case duplicate
        /// It goes out in its turn.
        case held
    }

    private struct Held {
        let position: HistoryPosition
        let element: Element
    }

    private enum Phase {
        /// A page is asked for.
        case reading
        case trailing(until: NIODeadline)
    }

    private let rules: Rules
    private var phase = Phase.reading
    private var epoch: UInt64
    /// Everything up to here was sent, or told as a gap.
    private var sent: UInt64
    /// By rising epoch and offset.
    private var held: [Held] = []
    /// The last that was heard of live.
    private var heard: HistoryPosition?
    /// The same when the page under way was asked for: the store must have that.
    private var heardWhenAsked: HistoryPosition?
    private var reads = 0

    /// Begins with reading the page after `since`.
    package init(since: HistoryPosition, rules: Rules = Rules()) {
        self.rules = rules
        epoch = since.epoch
        sent = since.offset
    }

    /// Where the last page that was sent ends: what to read after, first and also after a read that failed.
    package var position: HistoryPosition { HistoryPosition(epoch: epoch, offset: sent) }

    package var isReading: Bool {
        if case .reading = phase { true } else { false }
    }

    /// Whether it has done its work: live messages need not be asked about any more.
    package func isOver(now: NIODeadline) -> Bool {
        if case .trailing(let until) = phase { until <= now } else { false }
    }

    /// A message of the topic has come live.
    package mutating func live(_ element: Element, at position: HistoryPosition) -> Verdict {
        guard isReading else {
            if position.epoch != epoch { return position.epoch > epoch ? .send : .duplicate }
            return position.offset > sent ? .send : .duplicate
        }
        // Before the first page, epoch and offset are what the device said.
        if reads > 0, position.epoch == epoch, position.offset <= sent { return .duplicate }
        if heard.map({ $0.precedes(position) }) ?? true { heard = position }
        // From behind: nearly always it is the newest.
        let place = held.lastIndex { !position.precedes($0.position) }
        if let place, held[place].position == position { return .duplicate }
        held.insert(Held(position: position, element: element), at: place.map { $0 + 1 } ?? 0)
        if held.count > rules.heldMax { held.removeFirst() }
        return .held
    }

    /// The page after `position`.
    package mutating func received(_ page: HistoryPage<Element>, now: NIODeadline) -> Step {
        var step = Step()
        guard isReading else { return step }
        reads += 1
        guard page.epoch == epoch else {
            // Another counting. The page was asked for with an offset of the old one, so it is asked for again.
            epoch = page.epoch
            sent = max(page.first, 1) - 1
            step.gap = HistoryGap(reason: .otherEpoch, missed: sent)
            proceed(&step, isMore: page.head > sent, head: page.head, now: now)
            return step
        }
        if sent > page.head {
            sent = page.head
            step.gap = HistoryGap(reason: .fromTheFuture, missed: 0)
        }
        var missed: UInt64 = 0
        for entry in page.entries where entry.offset > sent {
            missed += entry.offset - sent - 1
            step.send.append(entry.element)
            sent = entry.offset
        }
        if !page.isMore, sent < page.head {
            // The rest of what was counted is not kept any more.
            missed += page.head - sent
            sent = page.head
        }
        if missed > 0, step.gap == nil { step.gap = HistoryGap(reason: .trimmed, missed: missed) }
        proceed(&step, isMore: page.isMore, head: page.head, now: now)
        return step
    }

    /// Reads on, or joins the live flow.
    private mutating func proceed(_ step: inout Step, isMore: Bool, head: UInt64, now: NIODeadline) {
        held.removeAll { $0.position.epoch < epoch || ($0.position.epoch == epoch && $0.position.offset <= sent) }
        if !isMore {
            while let next = held.first, next.position == HistoryPosition(epoch: epoch, offset: sent &+ 1) {
                held.removeFirst()
                step.send.append(next.element)
                sent = next.position.offset
            }
        }
        let isBehind = isMore || heard.map { position.precedes($0) } ?? false
        let reached = HistoryPosition(epoch: epoch, offset: head)
        let isStoreOlder = !isMore && heardWhenAsked.map { reached.precedes($0) } ?? false
        if isBehind, !isStoreOlder, reads < rules.readsMax {
            heardWhenAsked = heard
            step.read = position
            return
        }
        if isBehind { giveUp(&step, head: head, reason: isStoreOlder ? .storeIsOlder : .tooFast) }
        held = []
        phase = .trailing(until: now + rules.trail)
    }

    /// Joins the live flow with what is held; what lies before and between is a gap.
    private mutating func giveUp(_ step: inout Step, head: UInt64, reason: HistoryGap.Reason) {
        var end = HistoryPosition(epoch: epoch, offset: max(head, sent))
        if let heard, end.precedes(heard) { end = heard }
        // Of a newer counting, all that is not held is missed.
        let start = end.epoch == epoch ? sent : 0
        let known = held.filter { $0.position.epoch == end.epoch }
        let missed = end.offset - start - UInt64(known.count)
        step.send += known.map(\.element)
        if end.epoch != epoch {
            step.gap = HistoryGap(reason: .otherEpoch, missed: missed)
        } else if missed > 0 {
            step.gap = HistoryGap(reason: reason, missed: missed + (step.gap?.missed ?? 0))
        }
        (epoch, sent) = (end.epoch, end.offset)
    }
}

extension HistoryPosition {
    /// Epochs rise: what has a later one came later.
    fileprivate func precedes(_ other: HistoryPosition) -> Bool {
        (epoch, offset) < (other.epoch, other.offset)
    }
}

extension HistoryJoin.Step: Equatable where Element: Equatable {}
