import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// What Janus clients send, byte for byte as captures of hotwheels show it, and what is made of it.
struct JanusReadingTests {
    /// 17 bytes and their terminator.
    static let prefix: [UInt8] =
        [0x3C, 0x72, 0x65, 0x67, 0x75, 0x6C, 0x61, 0x72, 0x2D, 0x73, 0x6F, 0x63, 0x6B, 0x65, 0x74, 0x2F, 0x3E] + [0x00]

    static func rules(frameBytesMax: Int = 1_000) -> JanusRules {
        JanusRules(
            frameBytesMax: frameBytesMax,
            permissions: SessionPermissions(Permissions(publish: ["#"], subscribe: ["#"])),
            clock: { 1_234_567_000_089_000 })
    }

    static func framed(_ payload: String) -> [UInt8] { prefix + Array(payload.utf8) + [0x00] }
    static func publishing(_ object: String) -> [UInt8] { framed("PUBLISH") + Array(object.utf8) }

    /// Reads that come one after another; a broken protocol ends them.
    private func outcome(_ reads: [[UInt8]], frameBytesMax: Int = 1_000) -> Wire.Outcome {
        var frontend = JanusFrontend(rules: Self.rules(frameBytesMax: frameBytesMax))
        var events: [SessionEvent] = []
        var bytes = ByteBuffer()
        do throws(WireError) {
            for read in reads {
                bytes.writeBytes(read)
                try frontend.receive(&bytes, into: &events)
            }
            return Wire.Outcome(events: events, failure: nil)
        } catch {
            return Wire.Outcome(events: events, failure: error.reason)
        }
    }

    private func outcome(_ read: [UInt8]) -> Wire.Outcome { outcome([read]) }

    private static func subscribe(_ topic: String) -> SessionEvent {
        .subscribe(TopicPattern(unchecked: topic), ref: nil)
    }

    private static func published(_ topic: String, _ envelope: String) -> [SessionEvent] {
        [.publish(Topic(unchecked: topic), data: ByteBuffer(string: envelope), ref: nil), .finished]
    }

    /// A connection of the bots, one of a publisher, and what else the protocol allows.
    static let conversations: [(bytes: [UInt8], events: [SessionEvent])] = [
        (framed("PING"), [.heard]),
        (framed("PONG"), [.heard]),
        (framed(#"{"action":"subscribe","data":"events"}"#), [subscribe("events")]),
        (
            framed(#"{"action":"unsubscribe","data":"events"}"#),
            [.unsubscribe(TopicPattern(unchecked: "events"), ref: nil)]
        ),
        (
            publishing(#"{"topic":"events","event":"test_event","message_id":"","data":"test"}"#),
            published("events", #"{"event":"test_event","message_id":"","data":"test"}"#)
        ),
        (
            publishing(#"{"topic":"events","event":"e","message_id":"7","data":{"}":["\"}{",{}]}}"#) + [0x00],
            published("events", #"{"event":"e","message_id":"7","data":{"}":["\"}{",{}]}}"#)
        ),
        (
            publishing(#"{ "topic" : "\u00e9v\"t/1" , "event":null,"message_id":7.50,"data":[ 1 ] }"#),
            published("év\"t/1", #"{"event":null,"message_id":7.50,"data":[ 1 ]}"#)
        ),
        // Several frames, one prefix or none, empty frames in between, and an action that nobody knows.
        (
            framed("PING") + framed(#"{"action":"subscribe","data":"a"}"#) + prefix + prefix
                + Array("PONG\0\0\0".utf8) + Array("{\"action\":\"dance\",\"data\":[1]}\0".utf8)
                + Array("{\"action\":\"subscribe\",\"data\":\"b\"}\0".utf8) + Array("PUBLISH\0\0 \n".utf8)
                + Array(#"{"topic":"t","event":"","message_id":"","data":0}"#.utf8),
            [.heard, subscribe("a"), .heard, .heard, subscribe("b")]
                + published("t", #"{"event":"","message_id":"","data":0}"#)
        ),
    ]

    @Test(arguments: conversations.indices) func isUnderstoodAtEverySplitPoint(_ index: Int) {
        let (bytes, events) = Self.conversations[index]
        let expected = Wire.Outcome(events: events, failure: nil)
        #expect(outcome(bytes) == expected)
        for cut in 0...bytes.count {
            #expect(outcome([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(outcome(bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test(arguments: conversations.indices) func isNotAnsweredBeforeItIsWhole(_ index: Int) {
        let (bytes, events) = Self.conversations[index]
        // The object of a publish is whole at its brace, all else at its terminator.
        let end = bytes.last == 0 && events.last == .finished ? bytes.count - 1 : bytes.count
        let early = outcome(Array(bytes[..<(end - 1)]))
        #expect(early.failure == nil)
        #expect(early.events.count < events.count)
        #expect(early.events == Array(events.prefix(early.events.count)))
    }

    @Test func whatFollowsAPublishIsNothingToUs() {
        let publish = Self.publishing(#"{"topic":"t","event":"","message_id":"","data":0}"#)
        #expect(outcome(publish + Self.framed("NONSENSE")).failure == nil)
        #expect(outcome(publish + Self.framed("NONSENSE")).events.count == 2)
    }

    static let broken = [
        framed("HELLO"), framed("ping"), framed("PINGPING"), framed("[]"), framed("7"), framed("{"), framed("{}"),
        framed(#"{"action":"subscribe"}"#),
        framed(#"{"data":"events","action":"subscribe"}"#),
        framed(#"{"action":"subscribe","data":"events","more":1}"#),
        framed(#"{"action":"subscribe","data":"events"} x"#),
        framed(#"{"action":"subscribe","data":"events""#),
        publishing(#"{"event":"e","topic":"t","message_id":"","data":0}"#),
        publishing(#"{"topic":"t","event":"e","message_id":""}"#),
        publishing(#"{"topic":"t","event":"e","message_id":"","data":0,"more":1}"#),
        publishing(#"{"topic":"t","event":"e","message_id":"","data":[}"#),
        publishing(#"{"topic":"t","event":"e""#) + [0x00],
        publishing("[]"), publishing("}"), publishing(String(repeating: "{", count: 70)),
    ]

    @Test(arguments: broken.indices) func anythingElseBreaksTheProtocol(_ index: Int) {
        let bytes = Self.broken[index]
        let expected = Wire.Outcome(events: [], failure: .badProtocol)
        #expect(outcome(bytes) == expected, "\(String(decoding: bytes, as: UTF8.self))")
        #expect(outcome(bytes.map { [$0] }) == expected)
    }

    @Test(arguments: ["", "a/+", "#", "a\\u0001", String(repeating: "x", count: 257)])
    func aTopicThatIsNoneIsRefusedAndTheConnectionGoesOn(_ topic: String) {
        let frame = Self.framed(#"{"action":"subscribe","data":"\#(topic)"}"#)
        let outcome = outcome(frame + Self.framed("PING"))
        #expect(outcome.failure == nil)
        #expect(outcome.events.count == 2)
        guard case .invalid(let error, ref: nil) = outcome.events.first else {
            Issue.record("not refused: \(outcome.events)")
            return
        }
        #expect(error.code == .invalidTopic)
        #expect(outcome.events.last == .heard)
    }

    @Test func framesAreBounded() {
        let longest = #"{"action":"none","data":""# + String(repeating: "x", count: 73) + #""}"#
        #expect(longest.utf8.count == 100)
        for isTorn in [false, true] {
            func outcome(_ bytes: [UInt8]) -> Wire.Outcome {
                self.outcome(isTorn ? bytes.map { [$0] } : [bytes], frameBytesMax: 100)
            }
            #expect(outcome(Self.framed(longest)) == Wire.Outcome(events: [.heard], failure: nil))
            #expect(outcome(Self.framed(longest + " ")) == Wire.Outcome(events: [], failure: .tooLarge))
            let endless = [UInt8](repeating: UInt8(ascii: "x"), count: 101)
            #expect(outcome(endless) == Wire.Outcome(events: [], failure: .tooLarge))
            let object = #"{"topic":"t","event":"","message_id":"","data":""#
            let publish = object + String(repeating: "x", count: 98 - object.utf8.count) + #""}"#
            #expect(publish.utf8.count == 100)
            #expect(outcome(Self.publishing(publish)).events.count == 2)
            #expect(outcome(Self.publishing(" " + publish)) == Wire.Outcome(events: [], failure: .tooLarge))
            #expect(
                outcome(Self.framed("PUBLISH") + Array(("{" + String(repeating: " ", count: 100)).utf8)).failure
                    == .tooLarge)
        }
    }

    /// An `any Frontend` keeps three words without a box.
    @Test func anIdleConnectionHoldsNoBox() {
        #expect(MemoryLayout<JanusFrontend>.size <= 3 * MemoryLayout<UInt>.size)
    }
}
