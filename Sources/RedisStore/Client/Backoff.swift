/// How long to wait before trying again: doubling, with full jitter (a random share of the whole), so that a thousand
/// processes that lost the same Redis do not come back in step. Never less than `least`, so never a hot loop.
package struct Backoff: Hashable, Sendable {
    package var least: Duration = .milliseconds(10)
    /// The whole of the first wait.
    package var base: Duration = .milliseconds(50)
    package var most: Duration = .seconds(3)

    package init() {}

    /// - Parameters:
    ///   - attempt: how many attempts have failed before, from 0.
    ///   - share: a random number in 0…1.
    package func delay(attempt: Int, share: Double) -> Duration {
        let whole = min(most, base * Double(UInt64(1) << UInt64(min(max(attempt, 0), 20))))
        return max(least, whole * min(max(share, 0), 1))
    }
}
