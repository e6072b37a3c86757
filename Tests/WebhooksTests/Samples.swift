import Common
import HTTPSupport
import Logging
import ServiceLifecycle
import TestKit
import Testing

@testable import Webhooks

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// An event that says its number.
struct Numbered: WebhookContent {
    let number: Int
    var type: String { "numbered" }
    func write(to writer: inout JSONWriter) {
        writer.key("number")
        writer.integer(number)
    }
}

func id(_ number: Int) -> UUIDv7 { UUIDv7(unixMilliseconds: UInt64(number), random: (0, 0)) }

func event(_ number: Int, _ subject: WebhookEvent.Subject? = nil) -> WebhookEvent {
    WebhookEvent(id: id(number), content: Numbered(number: number), subject: subject)
}

func events(_ numbers: ClosedRange<Int>) -> [WebhookEvent] { numbers.map { event($0) } }

let secret = "an ordinary secret"

/// A sender that is running, to a receiver of the test.
struct RunningSender: Sendable {
    let sender: WebhookSender
    let metrics: PrometheusRegistry
    let group: ServiceGroup

    static func configuration(
        _ url: String, _ change: (inout WebhookConfiguration) -> Void = { _ in }
    ) throws -> WebhookConfiguration {
        var configuration = try WebhookConfiguration(
            url: url, key: "webhooks.offline-url", secret: secret, allowsPrivate: true, limits: .default)
        configuration.rules.batchDelay = .milliseconds(20)
        configuration.rules.backoffBase = .milliseconds(10)
        configuration.rules.backoffMax = .milliseconds(50)
        configuration.flushMax = .milliseconds(500)
        change(&configuration)
        return configuration
    }

    /// Runs a sender around `body`, and ends it whatever happens.
    static func running(
        _ configuration: WebhookConfiguration, fence: (any WebhookFence)? = nil, resolver: NameResolver = .system,
        route: AddressRoute = .direct, _ body: @Sendable (RunningSender) async throws -> Void
    ) async throws {
        let metrics = PrometheusRegistry()
        let sender = WebhookSender(
            configuration, destination: "test", fence: fence, resolver: resolver, route: route, metrics: metrics,
            logger: quiet)
        let group = ServiceGroup(services: [sender], logger: quiet)
        let task = Task { try await group.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(RunningSender(sender: sender, metrics: metrics, group: group)))
        } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await task.value
        try result.get()
    }

    func count(_ outcome: String) -> Int {
        Int(
            metrics.counter(
                "windfire_webhook_events_total", labels: ["destination": "test", "outcome": outcome]
            ).value)
    }

    var retries: Int {
        Int(metrics.counter("windfire_webhook_retries_total", labels: ["destination": "test"]).value)
    }
}

extension WebhookReceiver {
    /// The numbers of all events, in the order of their arrival.
    var numbers: [Int] { events.compactMap { $0["number"] as? Int64 }.map { Int($0) } }
}
