import Common
import HTTPSupport
import ServiceLifecycle
import TestKit
import Testing
import Webhooks

@testable import PushRoute

/// Who was not there is told, and the push does not wait for it.
@Suite struct OfflineWebhookTests {
    private let one = makeMember("n1")
    private let routes = ScriptedRouteStore()
    private let nodes = ScriptedNodes()
    private let metrics = PrometheusRegistry()

    private func withWebhook(
        _ receiver: WebhookReceiver, queueMax: Int = 10_000,
        _ body: (WebhookReceiver, Dispatcher) async throws -> Void
    ) async throws {
        try await receiver.serving { receiver in
            var configuration = try WebhookConfiguration(
                url: receiver.url, key: "webhooks.offline-url", secret: "an ordinary secret", allowsPrivate: true,
                limits: .default)
            configuration.rules.batchDelay = .milliseconds(20)
            configuration.rules.queueMax = queueMax
            configuration.flushMax = .milliseconds(500)
            let webhook = OfflineWebhook(configuration, dataBytesMax: 4_096, metrics: metrics, logger: quiet)
            let group = ServiceGroup(services: [webhook], logger: quiet)
            let task = Task { try await group.run() }
            let result: Result<Void, any Error>
            do {
                try await body(
                    receiver,
                    Dispatcher(
                        registry: FixedRegistry([one]), routes: routes, inboxes: routes, nodes: nodes,
                        offline: webhook, now: { 5 }))
                result = .success(())
            } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await task.value
            try result.get()
        }
    }

    private let id = UUIDv7(unixMilliseconds: 5, random: (1, 2))

    private func push(
        _ targets: [String], _ data: String = #"{"hi":1}"#, mode: PushParameters.Mode = .live, isRepeat: Bool = false,
        by dispatcher: Dispatcher
    ) async throws {
        _ = try await dispatcher.push(
            targets.map(client), PushParameters(data: Array(data.utf8), mode: mode), as: id, isRepeat: isRepeat,
            traceID: "trace", logger: quiet)
    }

    @Test func targetsWithoutAConnectionAreTold() async throws {
        await routes.set([
            client("there"): [makeRoute(one, 1)], client("gone"): [makeRoute(one, 2)],
            client("full"): [makeRoute(one, 3)],
        ])
        nodes.answer(.gone, for: session(2))
        nodes.answer(.refused, for: session(3))
        try await withWebhook(WebhookReceiver()) { receiver, dispatcher in
            try await push(["there", "gone", "full", "away"], by: dispatcher)
            try await eventually("both are told") { receiver.events.count == 2 }
            #expect(receiver.events.compactMap { $0["client"] as? String } == ["gone", "away"])
            let call = try #require(receiver.calls.first)
            let id = try #require(receiver.events[1]["id"] as? String)
            #expect(
                call.text.hasSuffix(
                    #"{"type":"offline_push","id":"\#(id)","push":"00000000-0005-7001-8000-000000000002","client":"away","mode":"live","stored":false,"#
                        + #""data":{"hi":1},"ts":5,"trace_id":"trace"}]}"#))
        }
    }

    @Test func aStoredMessageThatWaitsIsToldUnlessAConnectionIsThere() async throws {
        await routes.set([
            client("there"): [makeRoute(one, 1)], client("gone"): [makeRoute(one, 2)],
            client("full"): [makeRoute(one, 3)],
        ])
        nodes.answer(.gone, for: session(2))
        nodes.answer(.refused, for: session(3))
        try await withWebhook(WebhookReceiver()) { receiver, dispatcher in
            try await push(["there", "gone", "full", "away"], mode: .stored, by: dispatcher)
            try await eventually("both are told") { receiver.events.count == 2 }
            #expect(receiver.events.compactMap { $0["client"] as? String } == ["gone", "away"])
            #expect(receiver.calls.first?.text.contains(#""mode":"stored","stored":true,"data""#) == true)
        }
    }

    @Test func aRepeatedPartOfAJobTellsTheSameEvents() async throws {
        try await withWebhook(WebhookReceiver()) { receiver, dispatcher in
            try await push(["a", "b"], by: dispatcher)
            try await push(["a", "b"], isRepeat: true, by: dispatcher)
            try await eventually("all are told") { receiver.events.count == 4 }
            let ids = receiver.events.compactMap { $0["id"] as? String }
            #expect(ids[..<2] == ids[2...])
            #expect(ids[0] != ids[1])
            #expect(ids.allSatisfy { UUIDv7($0) != nil })
        }
    }

    @Test func longDataIsLeftOutAndItsLengthTold() async throws {
        let fits = "\"\(String(repeating: "x", count: 4_094))\""
        try await withWebhook(WebhookReceiver()) { receiver, dispatcher in
            try await push(["a"], fits, by: dispatcher)
            try await push(["b"], fits.dropLast() + "x\"", by: dispatcher)
            try await eventually("both are told") { receiver.events.count == 2 }
            #expect(receiver.events[0]["data"] as? String == String(repeating: "x", count: 4_094))
            #expect(receiver.events[0]["data_bytes"] == nil)
            #expect(receiver.events[1]["data"] == nil)
            #expect(receiver.events[1]["data_bytes"] as? Int64 == 4_097)
        }
    }

    @Test func aPushThatFindsEveryoneTellsNothing() async throws {
        await routes.set([client("there"): [makeRoute(one, 1)]])
        try await withWebhook(WebhookReceiver()) { receiver, dispatcher in
            try await push(["there"], by: dispatcher)
            try await never(for: .milliseconds(200), "a call") { !receiver.calls.isEmpty }
        }
    }

    @Test func whileTheReceiverIsSilentPushesGoOnAndTheOldestAreDropped() async throws {
        try await withWebhook(WebhookReceiver([.init(isHeld: true)]), queueMax: 50) { receiver, dispatcher in
            try await push(["first"], by: dispatcher)
            try await eventually("the call is there") { receiver.calls.count == 1 }
            for number in 1...100 { try await push(["c\(number)"], by: dispatcher) }
            try await push((1...200).map { "d\($0)" }, by: dispatcher)
            let dropped = metrics.counter(
                "windfire_webhook_events_total", labels: ["destination": "offline", "outcome": "dropped"])
            #expect(dropped.value == 250)
            receiver.release()
            try await eventually("the rest is told") { receiver.events.count == 51 }
            #expect(
                receiver.events.compactMap { $0["client"] as? String } == ["first"] + (151...200).map { "d\($0)" })
        }
    }
}
