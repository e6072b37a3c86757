import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// A published capture of hotwheels' bots and their server, of November 2015, byte for byte: a subscriber and a
/// publisher.
struct JanusCaptureTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        hex.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
    }

    static let subscriberSends = bytes(
        """
        3c 72 65 67 75 6c 61 72 2d 73 6f 63 6b 65 74 2f 3e 00 50 49 4e 47 00
        3c 72 65 67 75 6c 61 72 2d 73 6f 63 6b 65 74 2f 3e 00 7b 22 61 63 74 69 6f 6e 22 3a 22 73 75 62
        73 63 72 69 62 65 22 2c 22 64 61 74 61 22 3a 22 65 76 65 6e 74 73 22 7d 00
        3c 72 65 67 75 6c 61 72 2d 73 6f 63 6b 65 74 2f 3e 00 7b 22 61 63 74 69 6f 6e 22 3a 22 75 6e 73
        75 62 73 63 72 69 62 65 22 2c 22 64 61 74 61 22 3a 22 65 76 65 6e 74 73 22 7d 00
        """)

    static let greeting = bytes(
        """
        7b 22 74 69 6d 65 73 74 61 6d 70 22 3a 5b 31 34 34 38 2c 34 33 34 39 32 35 2c 33 30 33 36 33 33
        5d 2c 22 74 6f 6b 65 6e 22 3a 5b 35 35 2c 39 37 2c 35 35 2c 31 30 30 2c 34 38 2c 31 30 32 2c 35
        36 2c 39 38 2c 31 30 32 2c 39 37 2c 39 37 2c 34 39 2c 35 34 2c 31 30 31 2c 34 38 2c 34 38 2c 34
        38 2c 31 30 30 2c 31 30 31 2c 39 39 2c 35 34 2c 35 35 2c 34 38 2c 35 37 2c 35 35 2c 39 39 2c 31
        30 31 2c 39 39 2c 39 37 2c 39 39 2c 35 36 2c 35 36 5d 7d 01
        """)

    static let acknowledgement = bytes("41 43 4b 01")

    static let delivery = bytes(
        """
        7b 22 74 69 6d 65 73 74 61 6d 70 22 3a 5b 31 34 34 38 2c 34 33 34 39 32 35 2c 33 39 35 38 36 34
        5d 2c 22 74 6f 70 69 63 22 3a 22 65 76 65 6e 74 73 22 2c 22 65 76 65 6e 74 22 3a 22 74 65 73 74
        5f 65 76 65 6e 74 22 2c 22 6d 65 73 73 61 67 65 5f 69 64 22 3a 22 22 2c 22 64 61 74 61 22 3a 22
        74 65 73 74 22 7d 01
        """)

    static let publisherSends = bytes(
        """
        3c 72 65 67 75 6c 61 72 2d 73 6f 63 6b 65 74 2f 3e 00 50 55 42 4c 49 53 48 00 7b 22 74 6f 70 69
        63 22 3a 22 65 76 65 6e 74 73 22 2c 22 65 76 65 6e 74 22 3a 22 74 65 73 74 5f 65 76 65 6e 74 22
        2c 22 6d 65 73 73 61 67 65 5f 69 64 22 3a 22 22 2c 22 64 61 74 61 22 3a 22 74 65 73 74 22 7d
        """)

    private static let events = Topic(unchecked: "events")
    private static let data = #"{"event":"test_event","message_id":"","data":"test"}"#

    private func events(of reads: [[UInt8]]) throws(WireError) -> [SessionEvent] {
        var frontend = JanusFrontend(rules: JanusReadingTests.rules())
        var events: [SessionEvent] = []
        var bytes = ByteBuffer()
        for read in reads {
            bytes.writeBytes(read)
            try frontend.receive(&bytes, into: &events)
        }
        return events
    }

    private func written(_ command: SessionCommand, atMicroseconds now: UInt64 = 0) -> [UInt8] {
        let frontend = JanusFrontend(
            rules: JanusRules(frameBytesMax: 1_000, permissions: .none, clock: { now }))
        var bytes = ByteBuffer()
        frontend.encode(command, into: &bytes)
        return Array(bytes.readableBytesView)
    }

    @Test func theSubscribersBytesAreUnderstoodWhereverTheyAreCut() throws {
        let pattern = TopicPattern(Self.events)
        let expected: [SessionEvent] = [.heard, .subscribe(pattern, ref: nil), .unsubscribe(pattern, ref: nil)]
        try expectAtEverySplitPoint(of: Self.subscriberSends, expected)
    }

    @Test func thePublishersBytesAreUnderstoodWhereverTheyAreCut() throws {
        let expected: [SessionEvent] = [
            .publish(Self.events, data: ByteBuffer(string: Self.data), ref: nil), .finished,
        ]
        try expectAtEverySplitPoint(of: Self.publisherSends, expected)
    }

    private func expectAtEverySplitPoint(of bytes: [UInt8], _ expected: [SessionEvent]) throws {
        for cut in 0...bytes.count {
            #expect(try events(of: [Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try events(of: bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test func theGreetingIsTheServersBytes() {
        let session = SessionID(high: 0x7A7D_0F8B_FAA1_6E00, low: 0x0DEC_6709_7CEC_AC88)
        let identity = SessionIdentity.anonymous(
            session, on: Incarnation(node: NodeID(unchecked: "n1"), life: 1), permissions: .none)
        let written = written(.welcome(identity, heartbeat: .seconds(25)), atMicroseconds: 1_448_434_925_303_633)
        #expect(written == Self.greeting, "\(String(decoding: written, as: UTF8.self))")
    }

    @Test func theAcknowledgementIsTheServersBytes() {
        #expect(written(.subscribed(TopicPattern(Self.events), ref: nil)) == Self.acknowledgement)
    }

    /// Messages carry milliseconds, so the last three digits of the time are not the capture's.
    @Test func theDeliveryIsTheServersBytesUpToTheMicroseconds() {
        let message = Message(
            id: MessageID(unchecked: "m"), timestampMilliseconds: 1_448_434_925_395,
            data: ByteBuffer(string: Self.data), from: nil, topic: Self.events)
        let written = String(decoding: written(.message(message)), as: UTF8.self)
        let captured = String(decoding: Self.delivery, as: UTF8.self)
        #expect(written == captured.replacing("395864", with: "395000"))
    }
}
