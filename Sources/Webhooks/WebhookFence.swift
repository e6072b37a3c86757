import Common

/// Tells which events are stale by now. Asked before each call, and once more when its connection is open.
package protocol WebhookFence: Sendable {
    /// How long an answer may be relied on.
    var validity: Duration { get }
    /// - Throws: `routes_unavailable` when nobody knows; the batch then waits.
    func stale(_ events: [WebhookEvent]) async throws(WindfireError) -> Set<UUIDv7>
}
