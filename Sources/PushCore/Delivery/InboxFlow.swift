import Common
import DequeModule
import NIOCore

/// What one session was sent of its client's inbox, and what of it the device has not acknowledged.
///
/// The store is the truth; this is only a place in it. A message is sent when it is the next one, the window has room
/// and the connection takes bytes. Everything else is simply not sent yet: it lies in the store, and is read from
/// there, page by page and in order, as soon as there is room. So nothing waits in memory but the rest of one page, and
/// however deliveries overtake one another or get lost, the device gets every message in the order of the inbox.
///
/// ```
///            next one, room                 window full, or one is missing
///   caught up ───────────► caught up   caught up ───────────────────────► behind
///   behind ──── room ──► reading ──── page ──► behind, or caught up after the last page
/// ```
///
/// A class, so that a session without stored messages pays one pointer for it. Time comes in as an argument.
package final class InboxFlow {
    /// The bounds that all sessions of a node share.
    package struct Rules: Sendable {
        /// Messages on their way to a device at once, unacknowledged.
        package let windowMax: Int
        /// How long to wait for an acknowledgement before everything unacknowledged is sent again. Doubles each time
        /// that nothing at all was acknowledged, up to `patienceMax`.
        package let acknowledgementTimeout: TimeAmount
        package let patienceMax: TimeAmount
        /// How long to wait after the store did not answer; doubles up to 32 times that.
        package let retryDelay: TimeAmount

        package init(
            windowMax: Int, acknowledgementTimeout: TimeAmount, patienceMax: TimeAmount = .minutes(10),
            retryDelay: TimeAmount = .seconds(1)
        ) {
            precondition(windowMax > 0, "at least one message is on its way")
            self.windowMax = windowMax
            self.acknowledgementTimeout = acknowledgementTimeout
            self.patienceMax = patienceMax
            self.retryDelay = retryDelay
        }
    }

    /// What is to be done, in this order.
    package struct Step: Equatable, Sendable {
        /// So many messages were lost because the inbox was full.
        package var gap: Int?
        package var send: [Message] = []
        /// Read the page after this place.
        package var read: StreamPosition?
        /// The device has everything up to here.
        package var acknowledge: StreamPosition?

        package init() {}
        package static let nothing = Step()
    }

    /// What becomes of a message that was just stored.
    package enum Verdict: Equatable, Sendable {
        case send
        /// It was sent before.
        case duplicate
        /// It is sent in its turn.
        case waits
    }

    /// Everything up to here was sent to this session, or is not for it.
    private var sent: StreamPosition
    /// The furthest that was ever sent here: an acknowledgement reaches no further.
    private var furthest: StreamPosition
    private var acknowledged: StreamPosition
    private var inFlight: Deque<StreamPosition> = []
    /// The rest of the last page.
    private var backlog: Deque<InboxEntry> = []
    /// Whoever was sent the whole backlog has everything up to here.
    private var cover = StreamPosition.start
    /// The last place known to exist in the inbox, and what was known when the store was last asked.
    private var newest: StreamPosition
    private var newestWhenAsked = StreamPosition.start
    private var isReading = false
    private var failedReads = 0
    /// Not before then; after a read that failed.
    private var readAfter: NIODeadline?
    private var resendAt: NIODeadline?
    private var patience: TimeAmount
    private var toldGap = 0

    /// - Parameter page: what the claim answered with, to be handed to `received` next.
    package init(page: InboxPage, rules: Rules) {
        let start = page.messages.isEmpty ? page.upTo ?? .start : page.messages[0].previous ?? .start
        sent = start
        furthest = start
        acknowledged = start
        newest = start
        patience = rules.acknowledgementTimeout
    }

    private var isCaughtUp: Bool { backlog.isEmpty && !isReading && newest <= sent }

    // MARK: What the store says

    /// A message was stored at a place. When the verdict is `.send` it counts as sent.
    package func stored(
        at position: StreamPosition, after previous: StreamPosition?, takesBytes: Bool, now: NIODeadline, rules: Rules
    ) -> Verdict {
        guard position > sent else { return .duplicate }
        guard isCaughtUp, takesBytes, inFlight.count < rules.windowMax, (previous ?? .start) <= sent else {
            newest = max(newest, position)
            return .waits
        }
        note(sent: position, now: now)
        newest = max(newest, position)
        return .send
    }

    /// The inbox reaches this far: a delivery may have been lost on its way.
    package func reaches(_ head: StreamPosition) {
        newest = max(newest, head)
    }

    /// The claim's page, or the answer to `read`.
    package func received(_ page: InboxPage, takesBytes: Bool, now: NIODeadline, rules: Rules) -> Step {
        isReading = false
        readAfter = nil
        failedReads = 0
        var step = Step()
        if page.trimmed > 0, page.trimmed != toldGap {
            toldGap = page.trimmed
            step.gap = page.trimmed
        }
        let last = backlog.last?.id ?? sent
        backlog.append(contentsOf: page.messages.filter { $0.id > last })
        let known = page.upTo ?? .start
        if !page.isMore {
            // What is in no page is expired, replaced or gone with a wiped store. Only what was heard of meanwhile may
            // have come too late for this page.
            cover = max(cover, newest == newestWhenAsked ? max(newest, known) : known)
        }
        newest = max(newest, known)
        proceed(&step, takesBytes: takesBytes, now: now, rules: rules)
        return step
    }

    package func readFailed(now: NIODeadline, rules: Rules) {
        isReading = false
        failedReads += 1
        readAfter = now + rules.retryDelay * (1 << min(failedReads, 6) / 2)
    }

    // MARK: What the device says

    package func acknowledge(
        upTo asked: StreamPosition, takesBytes: Bool, now: NIODeadline, rules: Rules
    ) -> Step {
        var step = Step()
        let position = min(asked, furthest)
        if position > acknowledged {
            acknowledged = position
            sent = max(sent, position)
            toldGap = 0
            patience = rules.acknowledgementTimeout
            while let first = inFlight.first, first <= position { inFlight.removeFirst() }
            while let first = backlog.first, first.id <= position { backlog.removeFirst() }
            resendAt = inFlight.isEmpty ? nil : now + patience
            step.acknowledge = position
        }
        proceed(&step, takesBytes: takesBytes, now: now, rules: rules)
        return step
    }

    // MARK: What the connection says

    /// Sends and reads what can be: the connection takes bytes again, or time has passed.
    package func proceed(takesBytes: Bool, now: NIODeadline, rules: Rules) -> Step {
        var step = Step()
        if let resendAt, resendAt <= now { startOver(now: now, rules: rules) }
        proceed(&step, takesBytes: takesBytes, now: now, rules: rules)
        return step
    }

    /// When `proceed` has something to do by itself.
    package var nextDeadline: NIODeadline? {
        switch (resendAt, readAfter) {
        case (let resend?, let read?): min(resend, read)
        case (let one, nil): one
        case (nil, let other): other
        }
    }

    // MARK: Within

    private func proceed(_ step: inout Step, takesBytes: Bool, now: NIODeadline, rules: Rules) {
        while takesBytes, inFlight.count < rules.windowMax, let entry = backlog.popFirst() {
            note(sent: entry.id, now: now)
            step.send.append(Message(entry))
        }
        guard backlog.isEmpty else { return }
        if cover > sent { sent = cover }
        guard newest > sent, !isReading, takesBytes else { return }
        if let readAfter, readAfter > now { return }
        // Half a window at a time: a page for each acknowledged message would ask the store a hundred times as often.
        guard inFlight.count <= rules.windowMax / 2 else { return }
        isReading = true
        readAfter = nil
        newestWhenAsked = newest
        step.read = sent
    }

    private func note(sent position: StreamPosition, now: NIODeadline) {
        sent = position
        furthest = max(furthest, position)
        inFlight.append(position)
        if resendAt == nil { resendAt = now + patience }
    }

    /// Nothing was acknowledged for too long: everything from there on once more.
    private func startOver(now: NIODeadline, rules: Rules) {
        guard !isReading else {
            // The page that is on its way begins where we are now.
            resendAt = now + rules.retryDelay
            return
        }
        resendAt = nil
        patience = min(patience * 2, rules.patienceMax)
        inFlight.removeAll()
        backlog.removeAll()
        newest = max(newest, sent)
        sent = acknowledged
        cover = acknowledged
    }
}

extension Message {
    /// A message of an inbox, which waits for its acknowledgement.
    init(_ entry: InboxEntry) {
        self.init(
            id: entry.id.messageID, timestampMilliseconds: entry.message.timestampMilliseconds,
            data: ByteBuffer(bytes: entry.message.data), from: entry.message.from, wantsAcknowledgement: true)
    }
}
