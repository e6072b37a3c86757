import Common
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NodeRPC
import Testing

@testable import PushServer

/// The order in which published messages leave the intake, whatever the order in which their calls come.
@Suite struct PublishIntakeTests {
    /// An intake, what left it, and what its callers heard.
    private final class Transcript: Sendable {
        let loop = NIOAsyncTestingEventLoop()
        let left = NIOLockedValueBox<[String]>([])
        let heard = NIOLockedValueBox<[String]>([])

        func intake(_ rules: TopicRules = .none) -> PublishIntake {
            PublishIntake(loop: loop, rules: rules) { [left, loop] work, count, answer in
                left.withLockedValue { $0 += work.map(Self.text) }
                loop.execute { answer?(.success([PublishOutcome](repeating: .init(delivered: 1), count: count))) }
            }
        }

        func take(
            _ publications: [Publication], _ number: UInt64, of link: UInt64 = 1, in intake: PublishIntake
        ) async throws {
            let batch = PublishBatch(link: link, number: number, publications: publications)
            try await loop.executeInContext { [heard] in
                intake.take(batch) { result in
                    let text =
                        switch result {
                        case .success(let outcomes): outcomes.map { "\($0.delivered)" }.joined(separator: " ")
                        case .failure(let error): error.code.name
                        }
                    heard.withLockedValue { $0.append("\(link)/\(number): \(text)") }
                }
            }
            await loop.run()
        }

        func advance(_ time: TimeAmount) async { await loop.advanceTime(by: time) }

        private static func text(_ work: PublishIntake.Work) -> String {
            switch work.kind {
            case .message(_, let message): message.id.text
            case .count: "?"
            case .merged(_, let messages, let leftOut): "[\(messages.map(\.id.text).joined(separator: " "))]-\(leftOut)"
            case .everyone(let message, _): "everyone \(message.id.text)"
            }
        }
    }

    private func publication(_ id: String, at offset: UInt64? = nil, epoch: UInt64 = 1) -> Publication {
        Publication(
            to: .topic(Topic(unchecked: "room/1")),
            TopicMessage(id: MessageID(unchecked: id), timestampMilliseconds: 1, data: [0x31]),
            at: offset.map { HistoryPosition(epoch: epoch, offset: $0) })
    }

    @Test func callsThatOvertakeOneAnotherArePutRight() async throws {
        let transcript = Transcript()
        let intake = transcript.intake()
        try await transcript.take([publication("c")], 2, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == [])
        try await transcript.take([publication("x")], 1, of: 2, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == ["x"], "another publisher does not wait")
        try await transcript.take([publication("a"), publication("b")], 1, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == ["x", "a", "b", "c"])
        #expect(transcript.heard.withLockedValue { $0 } == ["2/1: 1", "1/1: 1 1", "1/2: 1"])
    }

    @Test func aCallThatDoesNotComeIsNotWaitedForForEver() async throws {
        let transcript = Transcript()
        let intake = transcript.intake()
        try await transcript.take([publication("b")], 2, in: intake)
        await transcript.advance(.milliseconds(499))
        #expect(transcript.left.withLockedValue { $0 } == [])
        await transcript.advance(.milliseconds(2))
        #expect(transcript.left.withLockedValue { $0 } == ["b"])
        try await transcript.take([publication("a")], 1, in: intake)
        try await transcript.take([publication("c")], 3, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == ["b", "c"])
        #expect(transcript.heard.withLockedValue { $0 } == ["1/2: 1", "1/1: conflict", "1/3: 1"])
    }

    @Test func whatATopicKeepsLeavesInTheOrderOfItsPlaces() async throws {
        let transcript = Transcript()
        let intake = transcript.intake()
        try await transcript.take([publication("e", at: 5)], 1, in: intake)
        try await transcript.take([publication("g", at: 7), publication("free")], 1, of: 2, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == ["e", "free"], "what is not kept need not wait")
        #expect(transcript.heard.withLockedValue { $0 } == ["1/1: 1"])
        try await transcript.take([publication("f", at: 6)], 1, of: 3, in: intake)
        #expect(transcript.left.withLockedValue { $0 } == ["e", "free", "f", "g"])
        #expect(Set(transcript.heard.withLockedValue { $0 }) == ["1/1: 1", "2/1: 1 1", "3/1: 1"])
        // Before this node was first told of the topic, by another publisher that was faster.
        try await transcript.take([publication("d", at: 4)], 2, in: intake)
        #expect(transcript.left.withLockedValue { $0 }.last == "d")
        // The store was wiped: the counting begins anew.
        try await transcript.take([publication("A", at: 1, epoch: 2)], 3, in: intake)
        #expect(transcript.left.withLockedValue { $0 }.last == "A")
    }

    @Test func aWindowIsOneBatchAndTheNextMessageOpensAnother() async throws {
        let transcript = Transcript()
        let intake = transcript.intake(
            try TopicRules([
                TopicRule(TopicPattern("room/#"), merge: .init(window: .milliseconds(100), messagesMax: 2))
            ]))
        try await transcript.take([publication("a"), publication("b")], 1, in: intake)
        try await transcript.take([publication("c")], 2, in: intake)
        await transcript.advance(.milliseconds(99))
        #expect(transcript.left.withLockedValue { $0 } == ["?", "?", "?"], "counted, not sent")
        await transcript.advance(.milliseconds(1))
        #expect(transcript.left.withLockedValue { $0 }.last == "[b c]-1")
        try await transcript.take([publication("d")], 3, in: intake)
        await transcript.advance(.milliseconds(100))
        #expect(transcript.left.withLockedValue { $0 }.last == "[d]-0")
        await transcript.advance(.seconds(10))
        #expect(transcript.left.withLockedValue { $0 }.count == 6, "a quiet topic does nothing")
    }
}
