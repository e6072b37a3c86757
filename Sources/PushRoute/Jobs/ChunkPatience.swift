import Common

/// What becomes of a chunk that could not be served now. Pure.
enum ChunkPatience {
    /// Tries until its clients count as failed: two and a half minutes, with the pauses below.
    static let attemptsMax = 10

    /// Whether a chunk has had its tries before this one: whoever worked on it died each time, or could not even put it
    /// off. Serving it once more might end this process, too.
    static func isExhausted(beforeAttempt attempt: Int) -> Bool { attempt > attemptsMax }

    enum Verdict: Equatable {
        /// Nobody takes it up before that time is over.
        case putOff(Duration)
        case giveUp
    }

    /// - Parameter attempt: the one that failed, from 1.
    static func verdict(afterAttempt attempt: Int) -> Verdict {
        guard attempt < attemptsMax else { return .giveUp }
        return .putOff(.seconds(min(1 << min(max(attempt - 1, 0), 5), 30)))
    }
}
