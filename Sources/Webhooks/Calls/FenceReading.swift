import Common
import Synchronization

/// What the fence said about a batch, and since when that can be relied on.
final class FenceReading: Sendable {
    private let fence: any WebhookFence
    private let events: [WebhookEvent]
    /// Events that were stale at the first reading, and are no longer part of the batch.
    private let known = Mutex<(stale: Set<UUIDv7>, since: ContinuousClock.Instant)>(([], .now))

    init(_ fence: any WebhookFence, _ events: [WebhookEvent]) {
        self.fence = fence
        self.events = events
    }

    /// Counted from before the question: the answer may be older than its arrival.
    func read() async throws(WindfireError) -> Set<UUIDv7> {
        let asked = ContinuousClock.now
        let stale = try await fence.stale(events)
        known.withLock { $0 = ($0.stale.union(stale), asked) }
        return stale
    }

    /// Whether nothing else became stale. Asks again when the last answer is too old, until one is fresh.
    func stillHolds() async throws -> Bool {
        let before = known.withLock(\.stale)
        // A store that answers slower than an answer is valid gives no certainty: three times, then the batch waits.
        for _ in 0..<3 {
            if ContinuousClock.now - known.withLock(\.since) <= fence.validity {
                return known.withLock(\.stale) == before
            }
            _ = try await read()
        }
        return false
    }
}
