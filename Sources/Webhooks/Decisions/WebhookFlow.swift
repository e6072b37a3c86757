import Common
import DequeModule

/// The queue of one destination, and what is to be done next: what waits, what is under way, when to try again. Pure:
/// time and chance are handed in.
///
/// One batch is under way at a time, and it is tried until it is accepted or given up before the next one begins: so
/// events arrive in the order in which they happened. The price is that a receiver that is down holds all of them up;
/// the queue is bounded, its oldest events give way, and the next batch says how many were lost.
package struct WebhookFlow: Sendable {
    package struct Rules: Equatable, Sendable {
        package var queueMax = 10_000
        package var batchMax = 100
        /// How long the first event of a batch waits for others.
        package var batchDelay: Duration = .seconds(1)
        package var triesMax = 8
        /// The first pause is drawn from zero to this, each further one from twice as much.
        package var backoffBase: Duration = .milliseconds(500)
        package var backoffMax: Duration = .seconds(60)
        /// A receiver cannot ask for a longer pause than this.
        package var retryAfterMax: Duration = .seconds(300)

        package init() {}

        package init(_ limits: Limits) {
            queueMax = limits.webhookQueueMax
            batchMax = limits.webhookBatchMax
            batchDelay = limits.webhookBatchDelay
            triesMax = limits.webhookTriesMax
        }
    }

    package enum Action: Equatable, Sendable {
        /// Make this call, then say how it went.
        case send(WebhookBatch)
        /// Ask again at this time, or when something changed.
        case wait(until: ContinuousClock.Instant)
        /// Nothing to do until an event comes.
        case idle
        /// Stopped, and nothing is left.
        case finished
    }

    /// What became of events, to be counted.
    package struct Outcome: Equatable, Sendable {
        package var sent = 0
        /// Given up after all tries, or at once.
        package var failed = 0
        /// A newer event of the same device made them needless.
        package var stale = 0
        package var isRetried = false
    }

    private let rules: Rules
    private var queue: Deque<Entry> = []
    private var current: WebhookBatch?
    private var isUnderWay = false
    private var notBefore: ContinuousClock.Instant?
    private var lost = 0
    private var isStopping = false

    private struct Entry {
        let event: WebhookEvent
        let since: ContinuousClock.Instant
    }

    package init(_ rules: Rules = Rules()) {
        precondition(rules.queueMax > 0 && rules.batchMax > 0 && rules.triesMax > 0, "bounds of webhooks are positive")
        self.rules = rules
    }

    /// Events that wait, those under way included.
    package var count: Int { queue.count + (current?.events.count ?? 0) }

    /// - Returns: how many old events gave way.
    package mutating func add(_ events: some Sequence<WebhookEvent>, now: ContinuousClock.Instant) -> Int {
        for event in events { queue.append(Entry(event: event, since: now)) }
        let excess = max(0, queue.count - rules.queueMax)
        queue.removeFirst(excess)
        lost += excess
        return excess
    }

    /// Events that were never handed in, because there is no room for them: the next batch tells the gap.
    package mutating func skip(_ count: Int) { lost += count }

    /// - Parameter id: names the batch, should there be a new one.
    package mutating func next(now: ContinuousClock.Instant, id: UUIDv7) -> Action {
        precondition(!isUnderWay, "one batch at a time")
        if let batch = current {
            if let notBefore, now < notBefore { return .wait(until: notBefore) }
            isUnderWay = true
            return .send(batch)
        }
        guard let first = queue.first else { return isStopping ? .finished : .idle }
        let due = first.since + rules.batchDelay
        if queue.count < rules.batchMax, now < due, !isStopping { return .wait(until: due) }
        let events = queue.prefix(rules.batchMax).map(\.event)
        queue.removeFirst(events.count)
        let batch = WebhookBatch(id: id, events: events, lost: lost)
        lost = 0
        current = batch
        isUnderWay = true
        return .send(batch)
    }

    /// Leaves out of the batch under way what newer events made needless.
    /// - Returns: what is left of it; nil when nothing is, and then the batch is done.
    package mutating func drop(_ stale: Set<UUIDv7>) -> (left: WebhookBatch?, outcome: Outcome) {
        guard var batch = current else { return (nil, Outcome()) }
        let before = batch.events.count
        batch.remove(stale)
        let outcome = Outcome(stale: before - batch.events.count)
        guard !batch.events.isEmpty else {
            lost += batch.lost
            finish()
            return (nil, outcome)
        }
        current = batch
        return (batch, outcome)
    }

    /// The call was not made, because nobody knows yet whether its events still hold. No try is counted.
    package mutating func postpone(by pause: Duration, now: ContinuousClock.Instant) {
        isUnderWay = false
        notBefore = now + pause
    }

    /// - Parameter chance: from 0 to 1.
    package mutating func finished(
        _ verdict: WebhookVerdict, now: ContinuousClock.Instant, chance: Double
    ) -> Outcome {
        guard let batch = current else { return Outcome() }
        switch verdict {
        case .accepted:
            finish()
            return Outcome(sent: batch.events.count)
        case .again(_, let after) where batch.attempt < rules.triesMax:
            isUnderWay = false
            let asked = min(after ?? .zero, rules.retryAfterMax)
            notBefore = now + max(pause(after: batch.attempt) * chance, asked)
            current?.attempt += 1
            return Outcome(isRetried: true)
        case .again, .giveUp:
            lost += batch.lost + batch.events.count
            finish()
            return Outcome(failed: batch.events.count)
        }
    }

    /// Full jitter: a pause is drawn from zero to this, so that many senders do not come back together.
    private func pause(after attempt: Int) -> Duration {
        min(rules.backoffBase * (1 << min(attempt - 1, 20)), rules.backoffMax)
    }

    private mutating func finish() {
        current = nil
        isUnderWay = false
        notBefore = nil
    }

    /// No more waiting for company; `next` ends with `finished`.
    package mutating func stop() { isStopping = true }

    /// Nothing more will be tried.
    /// - Returns: how many events were left.
    package mutating func abandon() -> Int {
        let left = count
        queue = []
        finish()
        return left
    }
}
