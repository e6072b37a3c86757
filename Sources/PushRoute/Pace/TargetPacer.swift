import Common
import Synchronization

/// A `TargetPace` that several may keep to at once: small pushes ask whether they are within it, jobs wait for their
/// turn.
///
/// It counts in this process alone: with several PushRoutes a key has its rate on each, and a job's runner divides the
/// job's rate by how many there are.
package final class TargetPacer: Sendable {
    private let pace: Mutex<TargetPace>

    package init(perSecond: Int, shares: Int = 1) {
        pace = Mutex(TargetPace(perSecond: perSecond, shares: shares))
    }

    /// Others keep the same pace, or do no more.
    package func share(among shares: Int) { pace.withLock { $0.shares = max(shares, 1) } }

    /// How many to ask for at a time, so that a job flows and does not come in bursts: a tenth of a second's worth, but
    /// at least one.
    package var stepMax: Int { max(1, pace.withLock { $0.perSecond / $0.shares } / 10) }

    /// How long so many take at this pace.
    package func time(of count: Int) -> Duration { pace.withLock { $0.time(of: count) } }

    /// - Returns: nil when these may go now, and are counted; else how long until they may.
    package func take(_ count: Int) -> Duration? { pace.withLock { $0.take(count, at: .now) } }

    /// Waits until it is their turn. Whoever came before goes before.
    /// - Throws: when the task is cancelled; the turn is lost then, and nobody else's comes sooner.
    package func waitForTurn(_ count: Int) async throws(CancellationError) {
        let wait = pace.withLock { $0.reserve(count, at: .now) }
        guard wait > .zero else { return }
        do { try await Task.sleep(for: wait) } catch { throw CancellationError() }
    }
}

/// The pace of each API key that has one (`rate_per_s` of `api.keys`), shared by the small pushes and the jobs of this
/// process.
package final class KeyPaces: Sendable {
    private let pacers: [String: TargetPacer]

    /// - Parameter rates: targets a second, by the name of the key.
    package init(_ rates: [String: Int]) { pacers = rates.mapValues { TargetPacer(perSecond: $0) } }

    /// - Returns: nil for a key that may go as fast as it likes.
    package func pacer(of key: String) -> TargetPacer? { pacers[key] }
}
