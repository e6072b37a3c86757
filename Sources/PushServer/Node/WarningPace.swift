import NIOCore

/// Lets what may happen with every connection be said once in a while: the first time at once, then not for an
/// interval. What happens in between is counted by whoever asks.
struct WarningPace: Equatable {
    static let interval = TimeAmount.minutes(1)

    private var last: NIODeadline?

    /// Whether to say it now.
    mutating func take(at now: NIODeadline) -> Bool {
        if let last, now - last < Self.interval { return false }
        last = now
        return true
    }
}
