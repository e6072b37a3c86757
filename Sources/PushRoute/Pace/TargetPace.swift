/// So many targets a second, with one second's worth at once: the generic cell rate algorithm (ITU-T I.371, annex A,
/// virtual scheduling), which keeps nothing but the time at which all that was let through would be even with the pace.
/// Pure: time is handed in.
package struct TargetPace: Equatable, Sendable {
    package let perSecond: Int
    /// Among how many the pace is divided; this is the pace of one of them. May change at any time, what is owed stays.
    package var shares: Int
    /// When everything let through so far has had its time; nil before the first.
    private var evenAt: ContinuousClock.Instant?

    /// - Parameters:
    ///   - perSecond: at least 1.
    ///   - shares: at least 1.
    package init(perSecond: Int, shares: Int = 1) {
        precondition(perSecond > 0, "a pace lets somebody through")
        precondition(shares > 0, "a pace is divided among those who keep it")
        self.perSecond = perSecond
        self.shares = shares
    }

    /// Counts the targets if they are within the pace. More of them than a second's worth are so when nothing else is
    /// owed, and are owed afterwards.
    /// - Returns: nil when they may go, else how long until they may; they are not counted then.
    package mutating func take(_ count: Int, at now: ContinuousClock.Instant) -> Duration? {
        let wait = wait(count, at: now)
        guard wait == .zero else { return wait }
        charge(count, at: now)
        return nil
    }

    /// Counts the targets in any case: a place in the queue.
    /// - Returns: how long until it is their turn.
    package mutating func reserve(_ count: Int, at now: ContinuousClock.Instant) -> Duration {
        let wait = wait(count, at: now)
        charge(count, at: now)
        return wait
    }

    private func wait(_ count: Int, at now: ContinuousClock.Instant) -> Duration {
        guard let evenAt else { return .zero }
        // What may be owed while these are let through: a second's worth with them.
        let tolerance = max(.zero, .seconds(1) - time(of: count))
        return max(.zero, now.duration(to: evenAt) - tolerance)
    }

    private mutating func charge(_ count: Int, at now: ContinuousClock.Instant) {
        evenAt = max(evenAt ?? now, now) + time(of: count)
    }

    /// How long so many take at this pace.
    package func time(of count: Int) -> Duration { .seconds(1) * count * shares / perSecond }
}
