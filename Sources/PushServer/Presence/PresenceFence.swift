import Common
import Webhooks

/// Old news by the word of the route store: a newer session of the same client and device is routed.
struct PresenceFence: WebhookFence {
    let routes: any RouteStore
    let validity: Duration

    func stale(_ events: [WebhookEvent]) async throws(WindfireError) -> Set<UUIDv7> {
        let clients = Set(events.compactMap(\.subject?.client)).sorted()
        guard !clients.isEmpty else { return [] }
        let located = Dictionary(uniqueKeysWithValues: zip(clients, try await routes.locate(clients)))
        let stale = events.filter { event in
            guard let subject = event.subject, let routes = located[subject.client] else { return false }
            return routes.contains { $0.device == subject.device && $0.epoch > subject.epoch }
        }
        return Set(stale.map(\.id))
    }
}
