/// Whether the server is still there. It pings every heartbeat ± 20 %; when it has been silent for one and a half
/// heartbeats the client asks, and after the grace it gives the connection up. Pure: time is handed in.
struct Liveness: Equatable, Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Verdict: Equatable {
        /// Nothing is due.
        case wait
        case ask
        case dead
    }

    /// How long after an unanswered question the connection is given up, as on the server.
    static let grace = Duration.seconds(10)

    let heartbeat: Duration
    private var lastHeard: Instant
    private var hasAsked = false

    init(heartbeat: Duration, now: Instant) {
        self.heartbeat = heartbeat
        lastHeard = now
    }

    mutating func heard(now: Instant) {
        lastHeard = now
        hasAsked = false
    }

    var deadline: Instant { lastHeard + heartbeat * 1.5 + (hasAsked ? Self.grace : .zero) }

    mutating func deadlineReached(now: Instant) -> Verdict {
        guard now >= deadline else { return .wait }
        if hasAsked { return .dead }
        hasAsked = true
        return .ask
    }
}
