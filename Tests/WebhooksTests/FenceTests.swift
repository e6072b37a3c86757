import Common
import Synchronization
import TestKit
import Testing

@testable import Webhooks

/// News that is old by the time it could be told is not told.
@Suite struct FenceTests {
    private final class ScriptedFence: WebhookFence {
        let validity: Duration
        private let answers: Mutex<[Result<Set<UUIDv7>, WindfireError>]>

        init(_ answers: [Result<Set<UUIDv7>, WindfireError>], validity: Duration = .seconds(10)) {
            self.answers = Mutex(answers)
            self.validity = validity
        }

        var left: Int { answers.withLock(\.count) }

        func stale(_ events: [WebhookEvent]) async throws(WindfireError) -> Set<UUIDv7> {
            try answers.withLock { $0.isEmpty ? .success([]) : $0.removeFirst() }.get()
        }
    }

    @Test func staleEventsAreLeftOut() async throws {
        try await WebhookReceiver().serving { receiver in
            let fence = ScriptedFence([.success([id(2)])])
            try await RunningSender.running(RunningSender.configuration(receiver.url), fence: fence) { running in
                running.sender.post(events(1...3))
                try await eventually("the rest is sent") { running.count("sent") == 2 }
                #expect(running.count("stale") == 1)
            }
            #expect(receiver.numbers == [1, 3])
        }
    }

    @Test func aRetryAsksAgain() async throws {
        try await WebhookReceiver([.init(500)]).serving { receiver in
            let fence = ScriptedFence([.success([]), .success([id(1)])])
            try await RunningSender.running(RunningSender.configuration(receiver.url), fence: fence) { running in
                running.sender.post(events(1...2))
                try await eventually("the rest is sent") { running.count("sent") == 1 }
            }
            #expect(receiver.calls.map { $0.events.count } == [2, 1])
            #expect(receiver.numbers == [1, 2, 2])
        }
    }

    /// The answer is older than it may be when the connection is open: it is asked for again before the body leaves.
    @Test func whatBecomesStaleWhileTheConnectionOpensIsNotSaid() async throws {
        try await WebhookReceiver().serving { receiver in
            let fence = ScriptedFence([.success([]), .success([id(1)]), .success([id(1)])], validity: .zero)
            try await RunningSender.running(RunningSender.configuration(receiver.url), fence: fence) { running in
                running.sender.post(events(1...2))
                try await eventually("the script is over") { fence.left == 0 }
            }
            #expect(!receiver.numbers.contains(1))
        }
    }

    @Test func whileNobodyKnowsTheBatchWaitsAndNoTryIsCounted() async throws {
        try await WebhookReceiver().serving { receiver in
            let away = WindfireError(.routesUnavailable, "away")
            let fence = ScriptedFence([.failure(away)])
            let configuration = try RunningSender.configuration(receiver.url) { $0.rules.triesMax = 1 }
            try await RunningSender.running(configuration, fence: fence) { running in
                running.sender.post([event(1)])
                try await eventually("it is sent when the store is back") { running.count("sent") == 1 }
                #expect(running.retries == 0)
            }
            #expect(receiver.numbers == [1])
        }
    }
}
