/// Pauses between tries: exponential, with full jitter, so that processes that lost the same server do not return in
/// step. (AWS Architecture Blog, "Exponential Backoff And Jitter".) Randomness is passed in.
struct Backoff: Equatable, Sendable {
    let base: Duration
    let cap: Duration
    /// Pauses since the last reset.
    private(set) var tries = 0

    init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// - Parameter random: evenly from 0 to 1.
    mutating func next(random: Double) -> Duration {
        // 2^20 × base is beyond any cap of ours.
        let ceiling = min(cap, base * (1 << min(tries, 20)))
        tries += 1
        return ceiling * min(max(random, 0), 1)
    }

    mutating func reset() { tries = 0 }
}
