import HTTPSupport

/// What is counted about one destination.
struct WebhookFigures: Sendable {
    let sent: PrometheusCounter
    let failed: PrometheusCounter
    let dropped: PrometheusCounter
    let stale: PrometheusCounter
    let retried: PrometheusCounter

    init(_ registry: PrometheusRegistry, destination: String, queued: @escaping @Sendable () -> Int) {
        func events(_ outcome: String) -> PrometheusCounter {
            registry.counter(
                "windfire_webhook_events_total", help: "Events for webhooks, by what became of them.",
                labels: ["destination": destination, "outcome": outcome])
        }
        sent = events("sent")
        failed = events("failed")
        dropped = events("dropped")
        stale = events("stale")
        retried = registry.counter(
            "windfire_webhook_retries_total", help: "Calls of webhooks that are made again.",
            labels: ["destination": destination])
        registry.collect("windfire_webhook_queue_events", help: "Events that wait for their webhook.") {
            [.init(["destination": destination], Double(queued()))]
        }
    }

    func count(_ outcome: WebhookFlow.Outcome) {
        sent.increment(by: outcome.sent)
        failed.increment(by: outcome.failed)
        stale.increment(by: outcome.stale)
        if outcome.isRetried { retried.increment() }
    }
}
