/// How fast subscriptions are said on a connection. A server pauses who says more than 200 things at once or 50 a
/// second, and ends a connection that keeps on; so a client with a thousand topics says them well below that, and is
/// not turned away by its own return. Pure: time is handed in.
struct SubscribePace: Equatable, Sendable {
    typealias Instant = ContinuousClock.Instant

    /// As many as a server lets one session have, unless told otherwise.
    static let burst = 128
    static let perSecond = 32.0

    private var tokens = Double(burst)
    private var filledAt: Instant

    init(now: Instant) { filledAt = now }

    /// Whether one more may be said now; it then counts.
    mutating func take(now: Instant) -> Bool {
        fill(now: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// For what is said in any case.
    mutating func count(now: Instant) {
        fill(now: now)
        tokens = max(tokens - 1, -Double(Self.burst))
    }

    /// When the next may be said, after `take` answered no.
    var next: Instant { filledAt + .seconds(max(0, 1 - tokens) / Self.perSecond) + .milliseconds(1) }

    private mutating func fill(now: Instant) {
        guard now > filledAt else { return }
        tokens = min(tokens + filledAt.duration(to: now) / .seconds(1) * Self.perSecond, Double(Self.burst))
        filledAt = now
    }
}
