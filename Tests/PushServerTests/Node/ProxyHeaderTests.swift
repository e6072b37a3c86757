import Common
import NIOCore
import PushCore
import TestKit
import Testing

@testable import PushServer

/// haproxy's proxy-protocol.txt, sections 2.1 and 2.2, byte by byte.
struct ProxyHeaderTests {
    /// What a header of version 2 says: by default `PROXY`, TCP over IPv4, from 192.0.2.1.
    static func binary(
        command: UInt8 = 0x21, family: UInt8 = 0x11, _ block: [UInt8] = [192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2],
        length: Int? = nil
    ) -> [UInt8] {
        let length = length ?? block.count
        return Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + block
    }

    private static let six: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]

    private enum Outcome: Equatable {
        case from(IPAddress?), incomplete, refused(CloseReason)
    }

    /// Reads a header with other bytes behind it, which must be left.
    private func read(_ bytes: [UInt8], followedBy rest: [UInt8] = Array("GET".utf8)) -> Outcome {
        var buffer = ByteBuffer(bytes: bytes + rest)
        do throws(WireError) {
            guard let header = try ProxyHeader.take(from: &buffer) else { return .incomplete }
            #expect(Array(buffer.readableBytesView) == rest)
            return .from(header.source)
        } catch {
            return .refused(error.reason)
        }
    }

    private func read(_ text: String) -> Outcome { read(Array(text.utf8)) }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    // MARK: Version 1

    @Test(arguments: [
        ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1"),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        ("PROXY TCP6 2001:db8::7 2001:db8::8 0 65535\r\n", "2001:db8::7"),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1"),
    ])
    func aLineTellsTheSource(_ line: String, _ source: String) throws {
        #expect(read(line) == .from(try address(source)))
    }

    @Test(arguments: [
        "PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "PROXY UNKNOWN \r\n",
    ])
    func unknownIsNoAddress(_ line: String) { #expect(read(line) == .from(nil)) }

    @Test(arguments: [
        "PROXY\r\n", "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 nowhere 1 2\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::8 1 2\r\n", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 2001:db8::8 1 2\r\n", "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UNKNOWNS\r\n", "proxy UNKNOWN\r\n", "PROXX UNKNOWN\r\n", " PROXY UNKNOWN\r\n", "PROXY\tUNKNOWN\r\n",
        "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", "GET / HTTP/1.1\r\n", "\u{16}\u{3}\u{1}",
    ])
    func aLineOfAnotherFormIsRefused(_ line: String) { #expect(read(line) == .refused(.badProtocol)) }

    @Test func whatIsNoHeaderIsRefusedAtTheFirstByteThatTells() {
        #expect(read([UInt8(ascii: "G")], followedBy: []) == .refused(.badProtocol))
        #expect(read(Array("PRI".utf8), followedBy: []) == .refused(.badProtocol))
        #expect(read([0x0D, 0x0A, 0x0D, 0x0D], followedBy: []) == .refused(.badProtocol))
        #expect(read(Self.binary(command: 0x11).prefix(13) + [], followedBy: []) == .refused(.badProtocol))
    }

    @Test func aLineHas107BytesAtMost() {
        func line(_ count: Int) -> String {
            let start = "PROXY UNKNOWN "
            return start + String(repeating: "x", count: count - start.utf8.count - 2) + "\r\n"
        }
        #expect(read(line(107)) == .from(nil))
        #expect(read(line(108)) == .refused(.tooLarge))
        #expect(read(Array(line(108).utf8.prefix(106)), followedBy: []) == .incomplete)
        #expect(read(Array(line(108).utf8.prefix(107)), followedBy: []) == .refused(.tooLarge))
    }

    // MARK: Version 2

    @Test func aBlockTellsTheSource() throws {
        #expect(read(Self.binary()) == .from(try address("192.0.2.1")))
        let addresses = Self.six + Self.six + [0, 1, 0, 2]
        #expect(read(Self.binary(family: 0x21, addresses)) == .from(try address("2001:db8::7")))
    }

    @Test func extensionsArePassedOver() throws {
        let alpn: [UInt8] = [0x01, 0x00, 0x02, 0x68, 0x32]
        #expect(read(Self.binary([192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0] + alpn)) == read(Self.binary()))
    }

    @Test func localAndUnspecifiedAreNoAddress() {
        #expect(read(Self.binary(command: 0x20, family: 0x00, [])) == .from(nil))
        #expect(read(Self.binary(command: 0x20)) == .from(nil), "what LOCAL says besides is skipped")
        #expect(read(Self.binary(command: 0x20, family: 0xFF, [1, 2, 3])) == .from(nil))
        #expect(read(Self.binary(family: 0x00, [])) == .from(nil))
        #expect(read(Self.binary(family: 0x00, [1, 2, 3])) == .from(nil))
        #expect(read(Self.binary(family: 0x31, [UInt8](repeating: 1, count: 216))) == .from(nil), "a Unix socket")
    }

    @Test(arguments: [
        binary(command: 0x11), binary(command: 0x31), binary(command: 0x01), binary(command: 0x22),
        binary(command: 0x2F), binary(family: 0x12), binary(family: 0x22), binary(family: 0x10),
        binary(family: 0x01), binary(family: 0x13), binary(family: 0x41), binary(family: 0xFF),
        binary([]), binary([192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0]), binary(family: 0x21),
        binary(family: 0x21, [UInt8](repeating: 1, count: 35)), binary(family: 0x31, [UInt8](repeating: 1, count: 215)),
    ])
    func aBlockOfAnotherFormIsRefused(_ bytes: [UInt8]) { #expect(read(bytes) == .refused(.badProtocol)) }

    @Test func aHeaderHas4KiBAtMost() throws {
        let block = [192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2] + [UInt8](repeating: 0, count: 4096 - 16 - 12)
        #expect(read(Self.binary(block)) == read(Self.binary()))
        #expect(read(Self.binary(block + [0])) == .refused(.tooLarge))
        #expect(read(Self.binary([], length: 0xFFFF), followedBy: []) == .refused(.tooLarge), "known from its length")
    }

    // MARK: What is said about it

    @Test func aWarningIsRepeatedAfterAMinuteAtTheEarliest() {
        let start = NIODeadline.uptimeNanoseconds(3_000_000_000)
        var pace = WarningPace()
        let seconds = [0, 0, 59.999_999_999, 60, 119, 120]
        let said = seconds.map { pace.take(at: start + .nanoseconds(Int64(($0 * 1_000_000_000).rounded()))) }
        #expect(said == [true, false, false, true, false, true])
    }

    // MARK: Both

    @Test(arguments: [
        Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".utf8), binary(),
        binary(family: 0x21, six + six + [0, 1, 0, 2] + [UInt8](repeating: 9, count: 300)),
    ])
    func everyBeginningIsIncompleteAndTakesNothing(_ whole: [UInt8]) throws {
        for count in 0..<whole.count {
            var bytes = ByteBuffer(bytes: whole[..<count])
            #expect(try ProxyHeader.take(from: &bytes) == nil)
            #expect(bytes.readableBytes == count)
        }
        #expect(read(whole) != .incomplete)
    }

    @Test func randomChangesNeverTakeMoreThanTheBytesThereAre() {
        var random = SplitMix.printed()
        let samples = [Self.binary(), Array("PROXY TCP6 2001:db8::7 2001:db8::8 1 2\r\n".utf8)]
        for round in 0..<20_000 {
            var bytes = samples[round % 2]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            var buffer = ByteBuffer(bytes: bytes)
            if let header = try? ProxyHeader.take(from: &buffer) {
                #expect(buffer.readableBytes < bytes.count, "\(header)")
            } else {
                #expect(buffer.readableBytes == bytes.count)
            }
        }
    }
}
