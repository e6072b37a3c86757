import Common

/// What the application wants to hear, and what was said about it on the connection.
///
/// A subscription outlives connections: with every welcome all of them are said again, each from the place where its
/// messages ended, so that the server replays what was missed. Said on a connection, a subscription is
///
/// ```
///   due ── said ──► asked ── ok ──► standing
///    ▲                │                 │      "not_supported" to a place: due again, without it
///    │                └──── refused ────┤      the server is not able to now: waiting
///    └── time ── waiting ◄──────────────┤      anything else: refused, for good
///                refused ◄──────────────┘
/// ```
///
/// An `ok` may be followed by a refusal of the same request: the history could not be read to its end, and the server
/// has taken the subscription back.
///
/// No sockets, no clock, no randomness.
struct Subscriptions: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What one client may want at a time, refused ones included.
    static let countMax = 1_024
    /// Waits are 1 s to 10 s.
    static let waitMin = Duration.seconds(1)
    private static let backoff = Backoff(
        hints: PushClient.BackoffHints(base: .seconds(1), factor: 2, max: .seconds(9), jitter: 1))
    /// The server is not able to at the moment. Anything else will not be otherwise in a minute.
    private static let passing: Set<String> = [
        FailureCode.routesUnavailable.name, FailureCode.overloaded.name, FailureCode.tooManyPatterns.name,
        FailureCode.notReady.name, FailureCode.rateLimited.name,
    ]

    enum Phase: Equatable {
        /// To be said as soon as there is a connection, and the pace allows.
        case due
        case asked(ref: Int, hasSince: Bool)
        case standing(ref: Int, hasSince: Bool)
        case waiting(until: Instant)
        case refused(PushClientError)
    }

    struct Entry {
        /// In the order in which the application wanted them, they are said.
        let number: Int
        var phase = Phase.due
        var progress = TopicProgress()
        var missed = 0
        var leftOut = 0
        var backoff = Subscriptions.backoff
    }

    enum Verdict: Equatable {
        /// Not an answer to a subscription.
        case none
        case standing(TopicPattern)
        /// It is tried again.
        case putOff(TopicPattern)
        case refused(TopicPattern, PushClientError)
    }

    /// Where they are said; nil without a welcome.
    private(set) var connection: Int?
    var entries: [TopicPattern: Entry] = [:]
    /// The newest request of each that was said on this connection.
    private var byRef: [Int: TopicPattern] = [:]
    /// Due on this connection, in order.
    private var queue: [TopicPattern] = []
    private var pace: SubscribePace?
    private var count = 0
    /// Ids of the topics' messages: apart from those of pushes, which a busy room would soon displace.
    var recent = RecentIDs()
    /// This connection has brought a message of a topic.
    var hasSpoken = false

    // The application.

    /// - Parameter since: counts for a subscription that is new, or was refused, and has no place of its own.
    /// - Throws: `invalidInput` when there are too many.
    mutating func subscribe(to pattern: TopicPattern, since: HistoryPosition?) throws(PushClientError) {
        if let entry = entries[pattern] {
            guard case .refused = entry.phase else { return }
            entries[pattern]?.phase = .due
        } else {
            guard entries.count < Self.countMax else {
                throw PushClientError(.invalidInput, "a client has at most \(Self.countMax) subscriptions")
            }
            count += 1
            entries[pattern] = Entry(number: count)
        }
        if let since { entries[pattern]?.progress.begin(at: since) }
        if connection != nil { queue.append(pattern) }
    }

    /// - Returns: whether the server is to be told.
    mutating func unsubscribe(from pattern: TopicPattern, now: Instant) -> Bool {
        guard let entry = entries.removeValue(forKey: pattern) else { return false }
        switch entry.phase {
        case .asked(let ref, _), .standing(let ref, _):
            byRef[ref] = nil
            pace?.count(now: now)
            return true
        case .due:
            queue.removeAll { $0 == pattern }
            return false
        case .waiting, .refused: return false
        }
    }

    // The connection.

    mutating func welcomed(_ connection: Int, now: Instant) {
        forgetConnection()
        self.connection = connection
        pace = SubscribePace(now: now)
        queue = entries.filter { $0.value.phase == .due }.sorted { $0.value.number < $1.value.number }.map(\.key)
    }

    /// - Returns: whether it was the one that they were said on.
    mutating func ended(_ connection: Int) -> Bool {
        guard connection == self.connection else { return false }
        forgetConnection()
        return true
    }

    private mutating func forgetConnection() {
        (connection, byRef, queue, pace, hasSpoken) = (nil, [:], [], nil, false)
        for (pattern, entry) in entries {
            if case .refused = entry.phase { continue }
            entries[pattern]?.phase = .due
        }
    }

    /// What may be said now.
    mutating func dueFrames(now: Instant, refs: inout Refs) -> [ClientFrame] {
        guard connection != nil else { return [] }
        let rested = entries.filter { if case .waiting(let until) = $0.value.phase { until <= now } else { false } }
        for (pattern, _) in rested.sorted(by: { $0.value.number < $1.value.number }) {
            entries[pattern]?.phase = .due
            queue.append(pattern)
        }
        var said = 0
        var frames: [ClientFrame] = []
        while said < queue.count, pace?.take(now: now) == true {
            let pattern = queue[said]
            let ref = refs.next()
            let since = pattern.isWildcard ? nil : entries[pattern]?.progress.position
            entries[pattern]?.progress.rejoin()
            entries[pattern]?.phase = .asked(ref: ref, hasSince: since != nil)
            byRef[ref] = pattern
            frames.append(.subscribe(pattern.text, since: since?.description, ref: ref))
            said += 1
        }
        queue.removeFirst(said)
        return frames
    }

    /// When `dueFrames` has something to say next; nil when only news from outside leads on.
    var nextDeadline: Instant? {
        guard connection != nil else { return nil }
        var next = queue.isEmpty ? nil : pace?.next
        for entry in entries.values {
            if case .waiting(let until) = entry.phase { next = min(next ?? until, until) }
        }
        return next
    }

    // The answers.

    /// - Parameter position: where the topic's history is now, when nothing was replayed.
    mutating func accepted(_ ref: Int, position: String?) -> Verdict {
        guard let pattern = byRef[ref], case .asked(_, let hasSince) = entries[pattern]?.phase else { return .none }
        entries[pattern]?.phase = .standing(ref: ref, hasSince: hasSince)
        entries[pattern]?.backoff.succeeded()
        if !pattern.isWildcard, let position = position.flatMap({ try? HistoryPosition($0) }) {
            entries[pattern]?.progress.begin(at: position)
        }
        return .standing(pattern)
    }

    /// - Parameter random: 0 ≤ random < 1.
    mutating func refused(_ ref: Int, _ refusal: ServerFrame.Refusal, now: Instant, random: Double) -> Verdict {
        guard let pattern = byRef.removeValue(forKey: ref), var entry = entries[pattern] else { return .none }
        defer { entries[pattern] = entry }
        switch (refusal.code, entry.phase) {
        case (FailureCode.notSupported.name, .asked(_, hasSince: true)),
            (FailureCode.notSupported.name, .standing(_, hasSince: true)):
            entry.progress.forget()
            entry.phase = .due
            queue.append(pattern)
            return .putOff(pattern)
        case _ where Self.passing.contains(refusal.code):
            let floor = max(Self.waitMin, refusal.retryAfter ?? .zero)
            entry.phase = .waiting(until: now + entry.backoff.failed(floor: floor, random: random))
            return .putOff(pattern)
        default:
            let error = PushClientError(.refused, refusal.message, code: refusal.code)
            entry.phase = .refused(error)
            return .refused(pattern, error)
        }
    }
}
