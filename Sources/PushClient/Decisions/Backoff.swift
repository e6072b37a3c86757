/// How long to wait before the next attempt: exponential with full jitter, by the server's hints.
///
/// A wait is drawn anew from 0 to a ceiling that doubles, so that a million clients that lost the same node do not come
/// back in step (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Pure: the random number is
/// handed in.
struct Backoff: Hashable, Sendable {
    var hints: PushClient.BackoffHints
    /// Attempts that failed since the last success.
    private(set) var failures = 0

    init(hints: PushClient.BackoffHints) { self.hints = hints }

    mutating func succeeded() { failures = 0 }

    /// Counts a failure and gives the wait after it.
    /// - Parameters:
    ///   - floor: what the server asked for; the jitter comes on top of it, so that the answer "in 5 s" to a thousand
    ///     clients does not bring a thousand clients in 5 s.
    ///   - random: 0 ≤ random < 1.
    mutating func failed(floor: Duration = .zero, random: Double) -> Duration {
        var ceiling = hints.base
        for _ in 0..<min(failures, 64) where ceiling < hints.max { ceiling = ceiling * hints.factor }
        ceiling = min(ceiling, hints.max)
        failures += 1
        return floor + ceiling * (1 - hints.jitter + hints.jitter * random)
    }
}

extension PushClient {
    /// The server's advice on coming back, part of its answer with the token.
    public struct BackoffHints: Hashable, Sendable {
        /// Ceiling of the first wait.
        public let base: Duration
        /// What the ceiling grows by with each failure.
        public let factor: Double
        /// The ceiling never grows beyond.
        public let max: Duration
        /// Share of the ceiling that is random: 1 is full jitter.
        public let jitter: Double

        /// Values out of reason are brought into it: base 10 ms to 10 minutes, factor 1 to 10, max from base to
        /// 10 minutes, jitter 0.1 to 1. No hint can make a client hammer a server or stay away for good.
        public init(base: Duration, factor: Double, max: Duration, jitter: Double) {
            let longest = Duration.seconds(600)
            self.base = Swift.min(Swift.max(base, .milliseconds(10)), longest)
            self.factor = factor.isFinite ? Swift.min(Swift.max(factor, 1), 10) : 2
            self.max = Swift.min(Swift.max(max, self.base), longest)
            self.jitter = jitter.isFinite ? Swift.min(Swift.max(jitter, 0.1), 1) : 1
        }

        public static let `default` = BackoffHints(base: .milliseconds(500), factor: 2, max: .seconds(30), jitter: 1)
    }
}
