import Common
import TestKit
import Testing

@testable import Webhooks

/// The sender against a real HTTP server.
@Suite struct SenderTests {
    private func running(
        _ receiver: WebhookReceiver, _ change: (inout WebhookConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (RunningSender, WebhookReceiver) async throws -> Void
    ) async throws {
        try await receiver.serving { receiver in
            try await RunningSender.running(RunningSender.configuration(receiver.url, change)) { running in
                try await body(running, receiver)
            }
        }
    }

    @Test func eventsArriveOnceEachInOrderInBatches() async throws {
        try await running(WebhookReceiver(), { $0.rules.batchMax = 100 }) { running, receiver in
            for number in 1...1_000 { running.sender.post([event(number)]) }
            try await eventually("all have come") { receiver.numbers.count == 1_000 }
            #expect(receiver.numbers == Array(1...1_000))
            #expect(receiver.calls.count >= 10)
            #expect(receiver.calls.allSatisfy { $0.events.count <= 100 })
            try await eventually("all are counted") { running.count("sent") == 1_000 }
            let call = try #require(receiver.calls.first)
            #expect(call.path == "/hook")
            #expect(call.header("content-type") == "application/json")
            #expect(call.header("windfire-event-id").flatMap { UUIDv7($0) } != nil)
            #expect(call.header("content-length") == "\(call.body.count)")
            #expect(Set(receiver.calls.compactMap { $0.header("windfire-event-id") }).count == receiver.calls.count)
        }
    }

    @Test func aFailureIsTriedAgainWithTheSameIdAndAFreshSignature() async throws {
        let receiver = WebhookReceiver([.init(500), .init(503)])
        try await running(receiver) { running, receiver in
            running.sender.post(events(1...2))
            try await eventually("the third try is accepted") { running.count("sent") == 2 }
            #expect(receiver.calls.map { $0.events.count } == [2, 2, 2])
            #expect(Set(receiver.calls.map { $0.header("windfire-event-id") }).count == 1)
            #expect(Set(receiver.calls.map(\.body)).count == 1)
            for call in receiver.calls {
                #expect(
                    WebhookSignature.isValid(
                        try #require(call.header("windfire-signature")), body: call.body, secret: secret,
                        unixSeconds: Int64(WallClock.milliseconds() / 1_000)))
            }
            #expect(running.retries == 2)
        }
    }

    @Test func retryAfterIsWaitedFor() async throws {
        let receiver = WebhookReceiver([.init(429, headers: [("retry-after", "1")])])
        try await running(receiver) { running, receiver in
            running.sender.post([event(1)])
            try await eventually("it was tried again") { receiver.calls.count == 2 }
            #expect(receiver.calls[1].at - receiver.calls[0].at >= .milliseconds(950))
        }
    }

    @Test func aRefusalIsGivenUpAtOnceAndTheNextBatchTellsTheGap() async throws {
        let receiver = WebhookReceiver([.init(404)])
        try await running(receiver) { running, receiver in
            running.sender.post(events(1...3))
            try await eventually("it is given up") { running.count("failed") == 3 }
            running.sender.post([event(4)])
            try await eventually("the next one comes") { running.count("sent") == 1 }
            #expect(receiver.calls.count == 2)
            #expect(receiver.calls[1].lost == 3)
            #expect(running.retries == 0)
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        try await WebhookReceiver().serving { elsewhere in
            let receiver = WebhookReceiver([.init(307, headers: [("location", elsewhere.url)])])
            try await running(receiver) { running, _ in
                running.sender.post([event(1)])
                try await eventually("it is given up") { running.count("failed") == 1 }
            }
            #expect(elsewhere.calls.isEmpty)
        }
    }

    @Test func aHugeAnswerIsNotReadToItsEnd() async throws {
        let receiver = WebhookReceiver([.init(bodyBytes: 64 << 20), .init(500, bodyBytes: 64 << 20)])
        try await running(receiver) { running, receiver in
            running.sender.post([event(1)])
            try await eventually("the status decides") { running.count("sent") == 1 }
            running.sender.post([event(2)])
            try await eventually("also a bad one") { running.count("sent") == 2 }
            #expect(receiver.numbers == [1, 2, 2])
        }
    }

    @Test func aSilentReceiverTimesOutAndIsTriedAgain() async throws {
        let receiver = WebhookReceiver([.init(isHeld: true)])
        try await running(receiver, { $0.timeout = .milliseconds(200) }) { running, receiver in
            running.sender.post([event(1)])
            try await eventually("the second try is accepted") { running.count("sent") == 1 }
            #expect(receiver.calls.count == 2)
        }
    }

    @Test func whileOneCallIsSlowNoOtherOvertakesIt() async throws {
        let receiver = WebhookReceiver([.init(isHeld: true)])
        try await running(receiver) { running, receiver in
            running.sender.post([event(1)])
            try await eventually("the first call is there") { receiver.calls.count == 1 }
            for number in 2...50 { running.sender.post([event(number)]) }
            try await never(for: .milliseconds(200), "a second call") { receiver.calls.count > 1 }
            receiver.release()
            try await eventually("all have come") { receiver.numbers.count == 50 }
            #expect(receiver.numbers == Array(1...50))
        }
    }

    @Test func aFullQueueDropsTheOldestAndNeverBlocksThePoster() async throws {
        let receiver = WebhookReceiver([.init(isHeld: true)])
        try await running(receiver, { $0.rules.queueMax = 100 }) { running, receiver in
            running.sender.post([event(0)])
            try await eventually("the first call is there") { receiver.calls.count == 1 }
            let before = ContinuousClock.now
            for number in 1...10_000 { running.sender.post([event(number)]) }
            #expect(ContinuousClock.now - before < .seconds(5))
            #expect(running.count("dropped") == 9_900)
            receiver.release()
            try await eventually("the rest has come") { receiver.numbers.count == 101 }
            #expect(receiver.numbers == [0] + Array(9_901...10_000))
            #expect(receiver.calls[1].lost == 9_900)
        }
    }

    @Test func whatWasNotEvenHandedInIsPartOfTheGap() async throws {
        try await running(WebhookReceiver()) { running, receiver in
            running.sender.dropped(5)
            running.sender.post([event(6)])
            try await eventually("what was handed in has come") { running.count("sent") == 1 }
            #expect(receiver.calls.map(\.lost) == [5])
            #expect(running.count("dropped") == 5)
        }
    }

    @Test func aRefusedConnectionIsTriedUntilTheReceiverIsThere() async throws {
        let gone = WebhookReceiver()
        try await gone.start()
        let url = gone.url
        await gone.stop()
        try await RunningSender.running(RunningSender.configuration(url) { $0.rules.triesMax = 3 }) { running in
            running.sender.post([event(1)])
            try await eventually("all tries are made") { running.count("failed") == 1 }
            #expect(running.retries == 2)
        }
    }

    @Test func whatIsLeftAtTheEndIsSentAtOnce() async throws {
        try await WebhookReceiver().serving { receiver in
            let configuration = try RunningSender.configuration(receiver.url) { $0.rules.batchDelay = .seconds(60) }
            try await RunningSender.running(configuration) { running in running.sender.post(events(1...3)) }
            #expect(receiver.numbers == [1, 2, 3])
        }
    }

    @Test func atTheEndADeadReceiverIsNotWaitedForLong() async throws {
        try await WebhookReceiver(then: .init(isHeld: true)).serving { receiver in
            let configuration = try RunningSender.configuration(receiver.url) { $0.flushMax = .milliseconds(200) }
            let metrics = try await endOf(configuration)
            #expect(metrics == 3)
        }
    }

    /// - Returns: how many events were dropped.
    private func endOf(_ configuration: WebhookConfiguration) async throws -> Int {
        let before = ContinuousClock.now
        let running = Kept()
        try await RunningSender.running(configuration) { sender in
            await running.keep(sender)
            sender.sender.post(events(1...3))
        }
        #expect(ContinuousClock.now - before < .seconds(5))
        return await running.sender?.count("dropped") ?? 0
    }

    private actor Kept {
        var sender: RunningSender?
        func keep(_ sender: RunningSender) { self.sender = sender }
    }
}
