import Common

/// What becomes of a chunk that could not be served now. Pure.
enum ChunkPatience {
    /// Tries until its clients count as failed: two and a half minutes, with the pauses below.
    static let attemptsMax = 10

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
