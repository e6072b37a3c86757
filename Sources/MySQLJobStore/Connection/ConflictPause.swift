import Common

/// How long a transaction that lost against another waits before it is tried again: doubling, and a random share of
/// that, so that two that met once do not meet again in step.
enum ConflictPause {
    static let base: Duration = .milliseconds(2)
    static let most: Duration = .milliseconds(200)

    /// - Parameters:
    ///   - attempt: how many have failed before, from 0.
    ///   - share: a random number in 0…1.
    static func length(attempt: Int, share: Double) -> Duration {
        let whole = min(most, base * (1 << min(max(attempt, 0), 10)))
        return whole * min(max(share, 0), 1)
    }
}
