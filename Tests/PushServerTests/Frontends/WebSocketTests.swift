import Common
import NIOCore
import PushCore
import TestKit
import Testing

@testable import PushServer

/// RFC 6455, sections 5 to 8, byte by byte.
struct WebSocketTests {
    // MARK: Section 5.7, the RFC's own bytes

    @Test func theRFCsMaskedHello() {
        let bytes: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        let hello: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        #expect(Wire.outcome([bytes]) == .init(events: [Wire.reply(hello)], failure: nil))
    }

    @Test func theRFCsPing() {
        let ping = Wire.frame(9, Array("Hello".utf8))
        let pong: [UInt8] = [0x8A, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        #expect(Wire.outcome([ping]) == .init(events: [Wire.reply(pong)], failure: nil))
    }

    @Test(
        arguments: [
            (5, [0x82, 0x05]), (125, [0x82, 0x7D]), (126, [0x82, 0x7E, 0x00, 0x7E]), (256, [0x82, 0x7E, 0x01, 0x00]),
            (65_535, [0x82, 0x7E, 0xFF, 0xFF]), (65_536, [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])])
    func lengthsHaveTheirShortestForm(_ length: Int, _ header: [UInt8]) {
        var bytes = ByteBuffer()
        bytes.writeWebSocketHeader(.binary, payloadLength: length)
        #expect(Array(bytes.readableBytesView) == header)
        let payload = [UInt8](repeating: 7, count: length)
        let outcome = Wire.outcome([Wire.frame(2, payload)], frontend: Wire.echo(bytesMax: 70_000))
        #expect(outcome == .init(events: [Wire.reply(header + payload)], failure: nil))
    }

    // MARK: Arriving in parts

    @Test func everySplitPointGivesTheSame() {
        let stream =
            Wire.text("Grüße ", isFinal: false) + Wire.frame(9, [1, 2, 3]) + Wire.frame(0, Array("🎉".utf8))
            + Wire.frame(2, [UInt8](repeating: 0xAA, count: 200)) + Wire.frame(10, [])
        let whole = Wire.outcome([stream])
        #expect(whole.failure == nil)
        #expect(whole.events.count == 4)
        for cut in 0...stream.count {
            #expect(Wire.outcome([Array(stream[..<cut]), Array(stream[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(Wire.outcome(stream.map { [$0] }) == whole)
    }

    @Test func fragmentsAreJoinedAndControlFramesComeBetween() {
        let outcome = Wire.outcome([
            Wire.text("a", isFinal: false), Wire.frame(9, []), Wire.frame(0, [], isFinal: false),
            Wire.frame(10, []), Wire.frame(0, Array("b".utf8)),
        ])
        #expect(outcome.events == [Wire.reply([0x8A, 0]), .heard, Wire.reply([0x81, 2, 0x61, 0x62])])
        #expect(outcome.failure == nil)
    }

    @Test func anEmptyMessageIsAMessage() {
        #expect(Wire.outcome([Wire.text("")]).events == [Wire.reply([0x81, 0])])
    }

    @Test func unmaskingFollowsThePlaceInThePayload() {
        var random = SplitMix.printed()
        for length in 0..<40 {
            let plain = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let cut = Int.random(in: 0...length, using: &random)
            let masked = plain.enumerated().map { $0.element ^ Wire.mask[$0.offset % 4] }
            let key = Wire.mask.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
            var front = ByteBuffer(bytes: masked[..<cut])
            var back = ByteBuffer(bytes: masked[cut...])
            front.unmask(key, phase: 0)
            back.unmask(key, phase: cut)
            #expect(Array(front.readableBytesView) + Array(back.readableBytesView) == plain)
        }
    }

    // MARK: What clients must not send

    static let violations: [(String, [UInt8])] = [
        ("unmasked", [0x81, 0x05]),
        ("reserved bit 1", [0xC1, 0x80]), ("reserved bit 2", [0xA1, 0x80]), ("reserved bit 3", [0x91, 0x80]),
        ("opcode 3", [0x83, 0x80]), ("opcode 7", [0x87, 0x80]), ("opcode B", [0x8B, 0x80]), ("opcode F", [0x8F, 0x80]),
        ("a fragmented ping", [0x09, 0x80]), ("a fragmented close", [0x08, 0x80]),
        ("a long ping", [0x89, 0xFE, 0, 126]), ("a very long close", [0x88, 0xFF]),
        ("125 in two bytes", [0x82, 0xFE, 0, 125]),
        ("65535 in eight bytes", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
        ("a negative length", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("a continuation of nothing", Wire.frame(0, [1])),
        ("a message inside a message", Wire.text("a", isFinal: false) + Wire.text("b")),
        ("half a close code", Wire.frame(8, [3])),
    ]

    @Test(arguments: violations.map(\.0)) func isABrokenProtocol(_ name: String) throws {
        let bytes = try #require(Self.violations.first { $0.0 == name }).1
        #expect(Wire.outcome([bytes]) == .init(events: [], failure: .badProtocol))
        #expect(Wire.outcome(bytes.map { [$0] }) == .init(events: [], failure: .badProtocol))
    }

    @Test func eventsBeforeAViolationCount() {
        #expect(Wire.outcome([Wire.frame(10, []) + [0x81, 0x05]]) == .init(events: [.heard], failure: .badProtocol))
    }

    // MARK: Bounds

    @Test func anAnnouncedLengthIsEnoughToRefuse() {
        for length in [1001, 70_000, 1 << 40] {
            #expect(Wire.outcome([Wire.header(2, length: length)]).failure == .tooLarge)
        }
        #expect(Wire.outcome([Wire.header(2, length: 1000)]).failure == nil)
    }

    @Test func fragmentsAreMeasuredTogether() {
        let half = Wire.frame(2, [UInt8](repeating: 1, count: 600), isFinal: false)
        #expect(Wire.outcome([half, Wire.header(0, length: 400)]).failure == nil)
        #expect(Wire.outcome([half, Wire.header(0, length: 401)]).failure == .tooLarge)
    }

    @Test func aMillionTinyFragmentsEndAtTheLimit() {
        let fragment = Wire.frame(0, [], isFinal: false)
        var frontend = Wire.echo(fragmentsMax: 1024)
        var events: [SessionEvent] = []
        var accepted = 0
        var bytes = ByteBuffer(bytes: Wire.text("", isFinal: false))
        do throws(WireError) {
            for _ in 0..<1_000_000 {
                try frontend.receive(&bytes, into: &events)
                accepted += 1
                bytes.writeBytes(fragment)
            }
            Issue.record("a million fragments passed")
        } catch {
            #expect(error.reason == .tooLarge)
        }
        #expect(accepted == 1024)
        #expect(events.isEmpty)
    }

    // MARK: Text

    @Test func aTextThatIsNotUTF8FailsAtItsFirstBadByte() {
        let frame = Wire.frame(1, [0x61, 0xCE, 0xBA, 0xFF, 0x61, 0x61])
        // The header, two good characters, and the bad byte: the rest need not come.
        #expect(Wire.outcome([Array(frame[..<9])]).failure == nil)
        #expect(Wire.outcome([Array(frame[..<10])]).failure == .invalidText)
    }

    @Test func aCharacterMayBeCutBetweenFragmentsButNotByTheEnd() {
        let euro: [UInt8] = [0xE2, 0x82, 0xAC]
        let whole = Wire.outcome([Wire.frame(1, [euro[0]], isFinal: false), Wire.frame(0, Array(euro[1...]))])
        #expect(whole == .init(events: [Wire.reply([0x81, 3] + euro)], failure: nil))
        #expect(Wire.outcome([Wire.frame(1, Array(euro[..<2]))]).failure == .invalidText)
        #expect(Wire.outcome([Wire.frame(2, Array(euro[..<2]))]).failure == nil)
    }

    // MARK: Closing

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999] as [UInt16])
    func aCloseIsAnsweredWithItsCode(_ code: UInt16) {
        let number = [UInt8(code >> 8), UInt8(code & 0xFF)]
        let outcome = Wire.outcome([Wire.frame(8, number + Array("why".utf8)) + [0xFF]])
        #expect(outcome.events == [.leaving(reply: ByteBuffer(bytes: [0x88, 2] + number))])
        #expect(outcome.failure == nil, "what follows a close frame is not looked at")
    }

    @Test func aCloseWithoutACodeIsAnsweredWithoutOne() {
        #expect(Wire.outcome([Wire.frame(8, [])]).events == [.leaving(reply: ByteBuffer(bytes: [0x88, 0]))])
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] as [UInt16])
    func aCloseCodeThatMustNotBeSentBreaksTheProtocol(_ code: UInt16) {
        #expect(Wire.outcome([Wire.frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)])]).failure == .badProtocol)
    }

    @Test func aCloseReasonIsUTF8() {
        #expect(Wire.outcome([Wire.frame(8, [3, 0xE8, 0xC3])]).failure == .invalidText)
    }

    @Test func ourCloseHasNumberAndNameAfterTheWords() {
        var frontend = Wire.echo()
        var bytes = ByteBuffer()
        frontend.encode(.close(.kicked), into: &bytes)
        #expect(Array(bytes.readableBytesView) == [0x88, 8, 0x0F, 0xA3] + Array("kicked".utf8))
        bytes.clear()
        frontend.encode(.ping, into: &bytes)
        #expect(Array(bytes.readableBytesView) == [0x89, 0])
    }
}
