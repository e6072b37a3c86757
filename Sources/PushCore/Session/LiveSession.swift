import Common
import NIOCore

/// The part of a session that exists only while it is live: who it is, its outbox, its pace, and its deadlines.
struct LiveSession {
    var identity: SessionIdentity
    /// When the token ends.
    var tokenEnd: NIODeadline
    var outbox = Outbox()
    /// Set from the first stored message on.
    private(set) var inbox: InboxFlow?
    private(set) var takesInbox = false
    private(set) var isWritable = true

    /// This session's own interval, drawn once: a mass reconnect does not beat in step.
    private let heartbeat: TimeAmount
    /// The next ping, or, when one is out, the time to give up.
    private var heartbeatDue: NIODeadline
    private var isPinged = false
    private let liveness: Liveness

    private var limiter = RateLimiter()
    /// Acknowledgements since the last count that moved on: they answer what we sent, so nobody can send too many.
    private var unchargedEvents: UInt32 = 0
    /// Set while reading is paused.
    private var resumeAt: NIODeadline?
    /// Since when the device has been over its pace without a break.
    private var overSince: NIODeadline?

    /// Set while something waits: when to look whether writing progressed.
    private var stallCheck: NIODeadline?
    private var bufferedAtLastCheck = 0

    init(
        _ identity: SessionIdentity, tokenEnd: NIODeadline, liveness: Liveness, now: NIODeadline, jitter: Double,
        rules: SessionRules
    ) {
        self.liveness = liveness
        self.identity = identity
        self.tokenEnd = tokenEnd
        heartbeat = .nanoseconds(Int64(Double(rules.heartbeat.nanoseconds) * (1 + rules.heartbeatJitter * jitter)))
        heartbeatDue = liveness == .answered ? now + heartbeat : .distantFuture
    }

    /// Nothing waits before what is written now.
    var takesBytes: Bool { isWritable && outbox.isEmpty }

    /// What the store said of the inbox when the session was claimed.
    mutating func open(_ opening: InboxOpening, now: NIODeadline, rules: InboxFlow.Rules) -> InboxFlow.Step {
        switch opening {
        case .none:
            takesInbox = false
            return .nothing
        case .page(let page):
            takesInbox = true
            // The client never had a stored message: nothing is kept until the first one comes.
            if page == .empty, inbox == nil { return .nothing }
            let flow = inbox ?? InboxFlow(page: page, rules: rules)
            inbox = flow
            return flow.received(page, takesBytes: takesBytes, now: now, rules: rules)
        case .unknown:
            takesInbox = true
            return .nothing
        }
    }

    /// The flow of a session that takes stored messages, made when it is first needed.
    mutating func openInbox(rules: InboxFlow.Rules) -> InboxFlow? {
        guard takesInbox else { return nil }
        if let inbox { return inbox }
        let flow = InboxFlow(page: .empty, rules: rules)
        inbox = flow
        return flow
    }

    /// Nil when time alone changes nothing.
    var nextDeadline: NIODeadline? {
        var next = min(heartbeatDue, tokenEnd)
        if let stallCheck { next = min(next, stallCheck) }
        if let resumeAt { next = min(next, resumeAt) }
        if let inboxDue = inbox?.nextDeadline { next = min(next, inboxDue) }
        return next == .distantFuture ? nil : next
    }

    mutating func heard(at now: NIODeadline) {
        guard liveness == .answered else { return }
        heartbeatDue = now + heartbeat
        isPinged = false
    }

    mutating func delivered(at now: NIODeadline, rules: SessionRules) {
        guard liveness == .afterDelivery else { return }
        heartbeatDue = now + rules.pingAfterDelivery
    }

    enum PaceVerdict { case within, over, tooLong }

    mutating func acknowledge(upTo position: StreamPosition, now: NIODeadline, rules: SessionRules) -> InboxFlow.Step {
        guard let inbox else { return .nothing }
        let step = inbox.acknowledge(upTo: position, takesBytes: takesBytes, now: now, rules: rules.inbox)
        if step.acknowledge != nil { unchargedEvents += 1 }
        return step
    }

    mutating func charge(_ events: Int, now: NIODeadline, rules: SessionRules) -> PaceVerdict {
        let charged = max(0, events - Int(unchargedEvents))
        unchargedEvents = 0
        guard let wait = limiter.charge(charged, at: now, pace: rules.pace) else {
            overSince = nil
            return .within
        }
        if let overSince, now - overSince > rules.overPaceMax { return .tooLong }
        overSince = overSince ?? now
        resumeAt = now + wait
        return .over
    }

    mutating func writabilityChanged(
        _ isWritable: Bool, bufferedBytes: Int, now: NIODeadline, rules: SessionRules
    ) {
        self.isWritable = isWritable
        stallCheck = isWritable ? nil : now + rules.writeStallMax
        bufferedAtLastCheck = bufferedBytes
    }

    enum DeadlineVerdict { case nothing, ping, resumeReading, inbox(InboxFlow.Step), end(CloseReason) }

    mutating func deadlineReached(now: NIODeadline, bufferedBytes: Int, rules: SessionRules) -> DeadlineVerdict {
        if tokenEnd <= now { return .end(.tokenExpired) }
        if let stallCheck, stallCheck <= now {
            guard bufferedBytes < bufferedAtLastCheck else { return .end(.slowConsumer) }
            bufferedAtLastCheck = bufferedBytes
            self.stallCheck = now + rules.writeStallMax
        }
        if let resumeAt, resumeAt <= now {
            self.resumeAt = nil
            return .resumeReading
        }
        if let inbox, let due = inbox.nextDeadline, due <= now {
            return .inbox(inbox.proceed(takesBytes: takesBytes, now: now, rules: rules.inbox))
        }
        guard heartbeatDue <= now else { return .nothing }
        guard liveness == .answered else {
            // Once: the next delivery sets it up again.
            heartbeatDue = .distantFuture
            return .ping
        }
        if isPinged {
            // While we ourselves do not read, silence is not the device's fault.
            guard resumeAt == nil else {
                heartbeatDue = now + rules.heartbeatGrace
                return .nothing
            }
            return .end(.heartbeatTimeout)
        }
        isPinged = true
        heartbeatDue = now + rules.heartbeatGrace
        return .ping
    }
}
