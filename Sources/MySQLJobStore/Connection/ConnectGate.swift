import Common

/// Whether a connection may be tried now. After a failure nobody dials for a while, and calls in that time fail at once
/// with the failure that is known; so a server that is away costs its callers no timeout each, and is not met by all of
/// them when it returns. Pure: the time is handed in.
struct ConnectGate: Sendable {
    private struct Closed {
        let error: MySQLError
        let until: ContinuousClock.Instant
        let pause: Duration
    }

    let least: Duration
    let most: Duration
    private var closed: Closed?

    init(least: Duration, most: Duration) {
        self.least = least
        self.most = most
    }

    /// The failure that a call has to take now; nil when it may dial.
    func refusal(at now: ContinuousClock.Instant) -> MySQLError? {
        closed.flatMap { now < $0.until ? $0.error : nil }
    }

    /// The pause doubles from one failure to the next. Failures of dials that began side by side count once.
    /// - Returns: whether this is the first one since it went well, and so worth a word.
    mutating func failed(_ error: MySQLError, at now: ContinuousClock.Instant) -> Bool {
        guard let last = closed else {
            closed = Closed(error: error, until: now + least, pause: least)
            return true
        }
        guard now >= last.until else { return false }
        let pause = min(most, last.pause * 2)
        closed = Closed(error: error, until: now + pause, pause: pause)
        return false
    }

    /// - Returns: whether it had failed before.
    mutating func succeeded() -> Bool {
        defer { closed = nil }
        return closed != nil
    }
}
