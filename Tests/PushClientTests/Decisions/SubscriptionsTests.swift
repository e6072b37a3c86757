import Common
import Testing

@testable import PushClient

/// Transcripts: what happens on the left, what the client says or knows on the right. Random numbers are 0.5.
@Suite struct SubscriptionsTests {
    private let start = ContinuousClock.now
    private let room = TopicPattern(unchecked: "room/1")
    private let all = TopicPattern(unchecked: "room/#")

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func position(_ offset: UInt64) -> String { HistoryPosition(epoch: 7, offset: offset).description }

    private func message(_ id: String, _ topic: String = "room/1", at offset: UInt64? = nil) -> PushClient.Message {
        PushClient.Message(
            id: id, data: [], timestamp: 0, wantsAcknowledgement: false, topic: topic,
            position: offset.map { position($0) })
    }

    /// Subscribed to `pattern` as ref 1 on connection 1, and accepted.
    private func standing(_ pattern: TopicPattern, since: HistoryPosition? = nil) throws -> Held {
        let held = Held()
        held.welcomed(1, now: at(0))
        try held.subscribe(to: pattern, since: since)
        _ = held.due(at(0))
        #expect(held.accepted(1, position: nil) == .standing(pattern))
        return held
    }

    @Test func `what is wanted before there is a connection is said with the welcome, in order`() throws {
        let held = Held()
        try held.subscribe(to: room, since: try HistoryPosition(position(4)))
        try held.subscribe(to: all, since: nil)
        try held.subscribe(to: room, since: nil)
        #expect(held.due(at(0)) == [])
        #expect(held.nextDeadline == nil)
        #expect(!held.isUnanswered(room))
        held.welcomed(1, now: at(0))
        #expect(
            held.due(at(0)) == [
                .subscribe("room/1", since: position(4), ref: 1), .subscribe("room/#", since: nil, ref: 2),
            ])
        #expect(held.due(at(0)) == [])
        #expect(held.isUnanswered(room))
        #expect(held.accepted(1, position: nil) == .standing(room))
        #expect(held[room]?.isStanding == true)
        #expect(held[all]?.isStanding == false)
        #expect(held.accepted(9, position: nil) == .none)
    }

    @Test func `every connection is told anew, from the place where the messages ended`() throws {
        let held = try standing(room)
        #expect(held.receive(message("a", at: 41), on: 1))
        #expect(held.receive(message("b", at: 42), on: 1))
        #expect(held.ended(1))
        #expect(held[room]?.isStanding == false)
        #expect(!held.ended(1))
        held.welcomed(2, now: at(1))
        #expect(held.due(at(1)) == [.subscribe("room/1", since: position(42), ref: 2)])
        // An answer of before is nobody's.
        #expect(held.accepted(1, position: nil) == .none)
        #expect(!held.receive(message("b", at: 42), on: 2))
        #expect(held.receive(message("c", at: 43), on: 2))
    }

    @Test func `the place of the answer counts while none is known, and never for patterns`() throws {
        let held = Held()
        held.welcomed(1, now: at(0))
        for pattern in [room, all] { try held.subscribe(to: pattern, since: nil) }
        _ = held.due(at(0))
        #expect(held.accepted(1, position: position(40)) == .standing(room))
        #expect(held.accepted(2, position: position(40)) == .standing(all))
        #expect(held[room]?.position == position(40))
        #expect(held[all]?.position == nil)

        let early = Held()
        early.welcomed(1, now: at(0))
        try early.subscribe(to: room, since: nil)
        _ = early.due(at(0))
        #expect(early.receive(message("a", at: 39), on: 1))
        _ = early.accepted(1, position: position(40))
        #expect(early[room]?.position == position(39))
    }

    @Test func `a topic that keeps nothing any more is asked for without a place`() throws {
        let held = try standing(room, since: HistoryPosition(epoch: 7, offset: 3))
        _ = held.ended(1)
        held.welcomed(2, now: at(0))
        #expect(held.due(at(0)) == [.subscribe("room/1", since: position(3), ref: 2)])
        let refusal = ServerFrame.Refusal(code: "not_supported", message: "")
        #expect(held.refused(2, refusal, now: at(0), random: 0.5) == .putOff(room))
        #expect(held.due(at(0)) == [.subscribe("room/1", since: nil, ref: 3)])
        let error = PushClientError(.refused, "", code: "not_supported")
        #expect(held.refused(3, refusal, now: at(0), random: 0.5) == .refused(room, error))
    }

    @Test(arguments: ["routes_unavailable", "overloaded", "too_many_patterns", "not_ready", "rate_limited"])
    func `what the server cannot take now is tried again, later and later`(code: String) throws {
        let held = Held()
        held.welcomed(1, now: at(0))
        try held.subscribe(to: room, since: nil)
        var now = 0.0
        var waits: [Double] = []
        for ref in 1...6 {
            #expect(held.due(at(now)) == [.subscribe("room/1", since: nil, ref: ref)])
            let refusal = ServerFrame.Refusal(code: code, message: "")
            #expect(held.refused(ref, refusal, now: at(now), random: 0.5) == .putOff(room))
            #expect(held.due(at(now + 0.9)) == [])
            let next = try #require(held.nextDeadline)
            waits.append(at(now).duration(to: next) / .seconds(1))
            now += waits.last ?? 0
        }
        #expect(waits.map { ($0 * 10).rounded() / 10 } == [1.5, 2, 3, 5, 5.5, 5.5])
        // A connection ends the wait.
        _ = held.ended(1)
        #expect(held.nextDeadline == nil)
        held.welcomed(2, now: at(now))
        #expect(held.due(at(now)).count == 1)
    }

    @Test func `a subscription that is taken back after its yes is said again from where it is`() throws {
        let held = try standing(room, since: HistoryPosition(epoch: 7, offset: 3))
        #expect(held.receive(message("a", at: 4), on: 1))
        let refusal = ServerFrame.Refusal(code: "routes_unavailable", message: "", retryAfter: .seconds(7))
        #expect(held.refused(1, refusal, now: at(0), random: 0) == .putOff(room))
        #expect(held[room]?.isStanding == false)
        #expect(held.due(at(6.9)) == [])
        #expect(held.due(at(7)) == [.subscribe("room/1", since: position(4), ref: 2)])
    }

    @Test(arguments: ["forbidden", "too_many_topics", "invalid_topic", "unknown_op", "unknown_operation"])
    func `any other refusal is final until the application asks again`(code: String) throws {
        let held = Held()
        held.welcomed(1, now: at(0))
        try held.subscribe(to: room, since: nil)
        _ = held.due(at(0))
        let refusal = ServerFrame.Refusal(code: code, message: "no")
        let error = PushClientError(.refused, "no", code: code)
        #expect(held.refused(1, refusal, now: at(0), random: 0.5) == .refused(room, error))
        #expect(held[room]?.refusal == code)
        #expect(held.due(at(100)) == [])
        held.welcomed(2, now: at(100))
        #expect(held.due(at(100)) == [])
        #expect(!held.unsubscribe(from: TopicPattern(unchecked: "other"), now: at(100)))
        try held.subscribe(to: room, since: nil)
        #expect(held.due(at(100)) == [.subscribe("room/1", since: nil, ref: 2)])
        #expect(held[room]?.refusal == nil)
    }

    @Test func `what is not wanted any more is told only where it was said`() throws {
        let held = try standing(room)
        #expect(held.unsubscribe(from: room, now: at(0)))
        #expect(!held.unsubscribe(from: room, now: at(0)))
        #expect(held[room] == nil)
        try held.subscribe(to: room, since: nil)
        #expect(!held.unsubscribe(from: room, now: at(0)))
        #expect(held.due(at(0)) == [])
        // Taken back before the answer: the answer is nobody's, and a new wish is a new request.
        try held.subscribe(to: room, since: nil)
        #expect(held.due(at(0)) == [.subscribe("room/1", since: nil, ref: 2)])
        #expect(held.unsubscribe(from: room, now: at(0)))
        try held.subscribe(to: room, since: nil)
        #expect(held.due(at(0)) == [.subscribe("room/1", since: nil, ref: 3)])
        #expect(held.accepted(2, position: nil) == .none)
        #expect(held.accepted(3, position: nil) == .standing(room))
    }

    @Test func `a thousand are said at a pace that no server minds, and one more is too many`() throws {
        let held = Held()
        for number in 0..<Subscriptions.countMax {
            try held.subscribe(to: TopicPattern(unchecked: "t/\(number)"), since: nil)
        }
        let error = #expect(throws: PushClientError.self) { try held.subscribe(to: room, since: nil) }
        #expect(error?.kind == .invalidInput)
        held.welcomed(1, now: at(0))
        var said = held.due(at(0)).count
        #expect(said == SubscribePace.burst)
        var now = at(0)
        while let next = held.nextDeadline {
            try #require(next > now)
            now = next
            said += held.due(now).count
            let seconds = at(0).duration(to: now) / .seconds(1)
            try #require(Double(said) <= 200 + 50 * seconds)
        }
        #expect(said == Subscriptions.countMax)
        #expect(at(0).duration(to: now) < .seconds(30))
    }

    @Test func `messages are shown once, whatever brings them`() throws {
        let held = try standing(room)
        #expect(held.receive(message("a"), on: 1))
        #expect(!held.receive(message("a"), on: 1))
        #expect(held.receive(message("b", at: 5), on: 1))
        #expect(held.receive(message("d", at: 7), on: 1))
        // The same place under another id is the same message.
        #expect(!held.receive(message("d2", at: 7), on: 1))
        #expect(held.receive(message("c", at: 6), on: 1))
        #expect(held[room]?.position == position(7))
        // Of a pattern, or of nobody any more.
        #expect(held.receive(message("x", "other", at: 1), on: 1))
    }

    @Test func `after a move the old connection is heard until the new one speaks`() throws {
        let held = try standing(room)
        #expect(held.receive(message("a", at: 5), on: 1))
        held.welcomed(2, now: at(0))
        #expect(held.due(at(0)) == [.subscribe("room/1", since: position(5), ref: 2)])
        #expect(held.receive(message("b", at: 6), on: 1))
        #expect(!held.receive(message("b", at: 6), on: 2))
        #expect(held.receive(message("c", at: 7), on: 2))
        #expect(!held.receive(message("z"), on: 1))
        #expect(!held.ended(1))
    }

    @Test func `gaps and what busy rooms leave out are counted`() throws {
        let held = try standing(room, since: HistoryPosition(epoch: 7, offset: 3))
        #expect(held.missed(4, of: "room/1", reason: "trimmed", on: 1) == 4)
        #expect(held.missed(9, of: "room/2", reason: "trimmed", on: 1) == nil)
        #expect(held.missed(9, of: "room/1", reason: "trimmed", on: 2) == nil)
        let batch = [message("a", at: 8), message("a", at: 8), message("b", at: 12)]
        let shown = held.receive(batch, of: "room/1", leftOut: 3, on: 1)
        #expect(shown.map(\.id) == ["a", "b"])
        #expect(held[room]?.position == position(12))
        #expect(held.missed(.max, of: "room/1", reason: "too-fast", on: 1) == .max)
        #expect(held.missed(0, of: "room/1", reason: "from-the-future", on: 1) == 0)
        let state = held[room]
        #expect(state?.missed == .max)
        #expect(state?.leftOut == 3)
        #expect(state?.position == nil)
    }
}

/// Subscriptions with their refs. What is expected of a call that changes a value can only be written of a class.
private final class Held {
    typealias Instant = ContinuousClock.Instant

    private var subscriptions = Subscriptions()
    private var refs = Refs()

    var nextDeadline: Instant? { subscriptions.nextDeadline }

    subscript(pattern: TopicPattern) -> PushClient.Subscription? { subscriptions[pattern] }

    func isUnanswered(_ pattern: TopicPattern) -> Bool { subscriptions.isUnanswered(pattern) }

    func subscribe(to pattern: TopicPattern, since: HistoryPosition?) throws {
        try subscriptions.subscribe(to: pattern, since: since)
    }

    func unsubscribe(from pattern: TopicPattern, now: Instant) -> Bool {
        subscriptions.unsubscribe(from: pattern, now: now)
    }

    func welcomed(_ connection: Int, now: Instant) { subscriptions.welcomed(connection, now: now) }

    func ended(_ connection: Int) -> Bool { subscriptions.ended(connection) }

    func due(_ now: Instant) -> [ClientFrame] { subscriptions.dueFrames(now: now, refs: &refs) }

    func accepted(_ ref: Int, position: String?) -> Subscriptions.Verdict {
        subscriptions.accepted(ref, position: position)
    }

    func refused(
        _ ref: Int, _ refusal: ServerFrame.Refusal, now: Instant, random: Double
    ) -> Subscriptions.Verdict {
        subscriptions.refused(ref, refusal, now: now, random: random)
    }

    func receive(_ message: PushClient.Message, on connection: Int) -> Bool {
        subscriptions.receive(message, on: connection)
    }

    func receive(
        _ batch: [PushClient.Message], of topic: String, leftOut: Int, on connection: Int
    ) -> [PushClient.Message] {
        subscriptions.receive(batch, of: topic, leftOut: leftOut, on: connection)
    }

    func missed(_ count: Int, of topic: String, reason: String, on connection: Int) -> Int? {
        subscriptions.missed(count, of: topic, reason: reason, on: connection)
    }
}
