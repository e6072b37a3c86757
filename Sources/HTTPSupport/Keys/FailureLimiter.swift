/// Counts wrong keys and secrets by where they came from: so many in a window, then nothing until the window has
/// passed. While closed, a right key is refused too, or else guessing would go on at full speed; another address is
/// another count.
///
/// Pure: time is handed in. Bounded: the subject that failed longest ago is forgotten first, and an attacker with more
/// addresses than that has enough tries anyway.
package struct FailureLimiter: Sendable {
    package struct Configuration: Sendable, Equatable {
        /// Failures within `window` before the door closes.
        package var failuresMax = 5
        package var window: Duration = .seconds(60)
        /// Subjects remembered; about 200 bytes each.
        package var subjectsMax = 65_536

        package init(failuresMax: Int = 5, window: Duration = .seconds(60), subjectsMax: Int = 65_536) {
            precondition(failuresMax > 0 && subjectsMax > 0, "a limiter that lets nothing through is a mistake")
            self.failuresMax = failuresMax
            self.window = window
            self.subjectsMax = subjectsMax
        }
    }

    package enum Verdict: Hashable, Sendable {
        case open
        case closed(retryAfter: Duration)
    }

    private let configuration: Configuration
    /// Times of the last failures, oldest first, at most `failuresMax` each.
    private var failures: [String: [ContinuousClock.Instant]] = [:]

    package init(_ configuration: Configuration = .init()) { self.configuration = configuration }

    package var subjects: Int { failures.count }

    /// Whether a try may be looked at.
    package func verdict(for subject: String, now: ContinuousClock.Instant) -> Verdict {
        guard let times = failures[subject], times.count >= configuration.failuresMax else { return .open }
        let opens = times[0] + configuration.window
        return now < opens ? .closed(retryAfter: now.duration(to: opens)) : .open
    }

    /// A try was wrong.
    package mutating func failed(_ subject: String, now: ContinuousClock.Instant) {
        if failures[subject] == nil, failures.count >= configuration.subjectsMax { makeRoom(now: now) }
        var times = failures[subject, default: []]
        times.append(now)
        if times.count > configuration.failuresMax { times.removeFirst() }
        failures[subject] = times
    }

    /// Drops what has passed; if that is nothing, the eighth that failed longest ago, so that a full table is walked
    /// rarely.
    private mutating func makeRoom(now: ContinuousClock.Instant) {
        failures = failures.filter { _, times in times.last.map { now < $0 + configuration.window } ?? false }
        guard failures.count >= configuration.subjectsMax else { return }
        let leaving = failures.compactMap { subject, times in times.last.map { (subject, $0) } }
            .sorted { $0.1 < $1.1 }
            .prefix(max(1, configuration.subjectsMax / 8))
        for (subject, _) in leaving { failures[subject] = nil }
    }
}
