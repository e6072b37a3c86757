import NIOCore

/// A token bucket in eight bytes: the generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling) keeps only
/// the time at which the bucket would be empty again. Time is handed in.
package struct RateLimiter: Equatable, Sendable {
    /// The pace, shared by every limiter of a kind.
    package struct Pace: Equatable, Sendable {
        package let interval: TimeAmount
        package let tolerance: TimeAmount

        /// - Parameters:
        ///   - perSecond: sustained events per second, at least 1.
        ///   - burst: events allowed at once before the rate counts, at least 1.
        package init(perSecond: Int, burst: Int) {
            precondition(perSecond > 0 && burst > 0, "a pace allows at least one event")
            interval = .nanoseconds(1_000_000_000 / Int64(perSecond))
            tolerance = .nanoseconds(interval.nanoseconds * Int64(burst - 1))
        }
    }

    private var theoreticalArrival: NIODeadline = .uptimeNanoseconds(0)

    package init() {}

    /// Counts events that have already happened: a read may bring several at once.
    /// - Returns: nil while they are within the pace, else how long to wait until they are.
    package mutating func charge(_ events: Int, at now: NIODeadline, pace: Pace) -> TimeAmount? {
        theoreticalArrival = max(now, theoreticalArrival) + pace.interval * events
        // The last event arrived one interval before the bucket would be empty.
        let early = theoreticalArrival - pace.interval - now
        return early <= pace.tolerance ? nil : early - pace.tolerance
    }

    /// Counts one event if it is within the pace.
    /// - Returns: nil when it is, else how long until one would be; the event is then not counted.
    package mutating func take(at now: NIODeadline, pace: Pace) -> TimeAmount? {
        var charged = self
        if let wait = charged.charge(1, at: now, pace: pace) { return wait }
        self = charged
        return nil
    }

    /// Whether it is as good as new: nothing would be lost by forgetting it.
    package func isAtRest(at now: NIODeadline) -> Bool { theoreticalArrival <= now }
}
