import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// What a Janus client is sent, byte for byte.
struct JanusWritingTests {
    private func bytes(_ command: SessionCommand) -> String {
        let frontend = JanusFrontend(rules: JanusReadingTests.rules())
        var bytes = ByteBuffer()
        frontend.encode(command, into: &bytes)
        return String(buffer: bytes)
    }

    private func message(_ data: String, topic: String? = "events", milliseconds: UInt64 = 1_732_000_000_007) -> Message
    {
        Message(
            id: MessageID(unchecked: "0192-ab"), timestampMilliseconds: milliseconds, data: ByteBuffer(string: data),
            from: ClientID(unchecked: "alice"), topic: topic.map { Topic(unchecked: $0) })
    }

    /// The capture's token begins with 55,97,55,100: "7a7d".
    @Test func theGreetingIsATimestampAndTheSessionAsCharacterCodes() {
        let session = SessionID(high: 0x7A7D_0000_0000_0000, low: 0x0123_4567_89AB_CDEF)
        let identity = SessionIdentity.anonymous(
            session, on: Incarnation(node: NodeID(unchecked: "n1"), life: 1), permissions: .none)
        #expect(
            bytes(.welcome(identity, heartbeat: .seconds(25)))
                == #"{"timestamp":[1234,567000,89000],"token":[55,97,55,100,48,48,48,48,48,48,48,48,48,48,48,48,"#
                + #"48,49,50,51,52,53,54,55,56,57,97,98,99,100,101,102]}"# + "\u{1}")
    }

    @Test func wordsEndWithOne() {
        #expect(bytes(.subscribed(TopicPattern(unchecked: "events"), ref: nil)) == "ACK\u{1}")
        #expect(bytes(.subscribed(TopicPattern(unchecked: "events"), ref: nil, isLocal: true)) == "ACK\u{1}")
        #expect(bytes(.ping) == "PING\u{1}")
    }

    @Test func aPublishComesBackWithItsMembersUnchanged() {
        #expect(
            bytes(.message(message(#"{"event":"test_event","message_id":"","data":"test"}"#)))
                == #"{"timestamp":[1732,0,7000],"topic":"events","event":"test_event","message_id":"","data":"test"}"#
                + "\u{1}")
        #expect(
            bytes(.message(message(#"{"event": {"a":1} ,"message_id":7.50,"data":[ 1 , "\u0001"]}"#, topic: "a\"b\\c")))
                == #"{"timestamp":[1732,0,7000],"topic":"a\"b\\c","event":{"a":1},"message_id":7.50,"#
                + #""data":[ 1 , "\u0001"]}"# + "\u{1}")
    }

    @Test(arguments: [
        "1", "{}", #"{"event":"e","data":1}"#, #"{"message_id":"","event":"e","data":1}"#,
        #"{"event":"e","message_id":"","data":1,"more":2}"#,
    ])
    func whatOthersPublishIsTheEventMessage(_ data: String) {
        #expect(
            bytes(.message(message(data)))
                == #"{"timestamp":[1732,0,7000],"topic":"events","event":"message","message_id":"0192-ab","data":"#
                + data + "}\u{1}")
    }

    @Test func whatIsForEveryoneHasTheEmptyTopic() {
        #expect(
            bytes(.message(message("1", topic: nil, milliseconds: 0)))
                == #"{"timestamp":[0,0,0],"topic":"","event":"message","message_id":"0192-ab","data":1}"# + "\u{1}")
    }

    @Test func aBatchIsItsMessagesOneAfterTheOther() {
        let batch = ["1", #"{"event":"e","message_id":"2","data":2}"#].map { message($0) }
        #expect(
            bytes(.batch(Topic(unchecked: "events"), batch, leftOut: 3))
                == batch.map { bytes(.message($0)) }.joined())
    }

    @Test func forTheRestThereAreNoWords() {
        let error = FailureCode.forbidden
        for command in [
            SessionCommand.pong, .ok(ref: nil), .error(error, message: "no", ref: nil), .close(.kicked),
            .gap(missed: 1),
        ] {
            #expect(bytes(command) == "")
        }
    }

    @Test func aTimestampThatIsNoneHarmsNobody() {
        #expect(bytes(.message(message("1", milliseconds: .max))).hasSuffix(#""data":1}"# + "\u{1}"))
    }
}
