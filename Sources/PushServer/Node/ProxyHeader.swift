import Common
import NIOCore
import PushCore

/// Where a connection comes from, as a balancer writes it in front of the connection's first byte: the PROXY protocol,
/// versions 1 (text) and 2 (binary), of haproxy's proxy-protocol.txt, sections 2.1 and 2.2.
///
/// Only trusted peers are listened to: anybody can write such a header.
struct ProxyHeader: Equatable {
    /// Nil when the balancer speaks for itself (`LOCAL`, a health check) or does not know (`UNKNOWN`, `AF_UNSPEC`,
    /// `AF_UNIX`).
    let source: IPAddress?

    /// The longest line of version 1, with its CRLF.
    static let textBytesMax = 107
    /// The longest header of version 2: its addresses and whatever extensions (TLVs) the balancer adds.
    static let binaryBytesMax = 4096

    private static let textStart = Array("PROXY ".utf8)
    /// No other protocol begins so, and HTTP servers that do not know it fail at its first line.
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// Takes a header from the front of `bytes`; nil while it is incomplete.
    /// - Throws: `bad_protocol` at the first byte that cannot be one, `too_large` when it goes beyond its bound.
    static func take(from bytes: inout ByteBuffer) throws(WireError) -> ProxyHeader? {
        let view = bytes.readableBytesView
        guard let first = view.first else { return nil }
        return try first == signature[0] ? takeBinary(&bytes) : takeText(&bytes)
    }

    private static func malformed() -> WireError { WireError(.badProtocol, "the PROXY header is malformed") }

    private static func begins(_ bytes: ByteBuffer, with start: [UInt8]) -> Bool {
        zip(bytes.readableBytesView, start).allSatisfy(==)
    }

    // MARK: Version 1

    /// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n`
    private static func takeText(_ bytes: inout ByteBuffer) throws(WireError) -> ProxyHeader? {
        guard begins(bytes, with: textStart) else { throw malformed() }
        let view = bytes.readableBytesView.prefix(textBytesMax)
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else {
            guard view.count < textBytesMax else { throw WireError(.tooLarge, "the PROXY header has no end") }
            return nil
        }
        guard end > view.startIndex, view[end - 1] == UInt8(ascii: "\r") else { throw malformed() }
        let line = String(decoding: view[..<(end - 1)].dropFirst(textStart.count), as: UTF8.self)
        let source = try source(line)
        bytes.moveReaderIndex(to: end + 1)
        return ProxyHeader(source: source)
    }

    /// - Parameter line: without `PROXY ` and the end of the line.
    private static func source(_ line: String) throws(WireError) -> IPAddress? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        // What follows the word is to be ignored.
        if words[0] == "UNKNOWN" { return nil }
        guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6",
            let source = address(words[1], family: words[0]), address(words[2], family: words[0]) != nil,
            isPort(words[3]), isPort(words[4])
        else { throw malformed() }
        return source
    }

    /// By its writing, not by its value: `::ffff:10.0.0.7` is a fine address of TCP6.
    private static func address(_ word: Substring, family: Substring) -> IPAddress? {
        word.contains(":") == (family == "TCP6") ? IPAddress(String(word)) : nil
    }

    private static func isPort(_ word: Substring) -> Bool {
        UInt16(word).map { "\($0)" == word } ?? false
    }

    // MARK: Version 2

    private static func takeBinary(_ bytes: inout ByteBuffer) throws(WireError) -> ProxyHeader? {
        guard begins(bytes, with: signature) else { throw malformed() }
        let start = bytes.readerIndex + signature.count
        guard let version: UInt8 = bytes.getInteger(at: start) else { return nil }
        guard version >> 4 == 2, version & 0xF <= 1 else { throw malformed() }
        guard let family: UInt8 = bytes.getInteger(at: start + 1),
            let length: UInt16 = bytes.getInteger(at: start + 2)
        else { return nil }
        guard signature.count + 4 + Int(length) <= binaryBytesMax else {
            throw WireError(.tooLarge, "the PROXY header is too long")
        }
        guard let block = bytes.getSlice(at: start + 4, length: Int(length)) else { return nil }
        // LOCAL: the block is to be skipped, whatever it says.
        let source = version & 0xF == 0 ? nil : try source(family: family, block)
        bytes.moveReaderIndex(to: start + 4 + Int(length))
        return ProxyHeader(source: source)
    }

    /// - Parameter block: source address, destination address, both ports, extensions.
    private static func source(family: UInt8, _ block: ByteBuffer) throws(WireError) -> IPAddress? {
        let addressBytes: Int
        switch family {
        case 0x11: addressBytes = 4
        case 0x21: addressBytes = 16
        case 0x00: return nil
        case 0x31:
            guard block.readableBytes >= 216 else { throw malformed() }
            return nil
        // Datagrams do not come over a stream, and of what is not assigned the specification says: drop.
        default: throw malformed()
        }
        guard block.readableBytes >= 2 * addressBytes + 4,
            let source = IPAddress(bytes: block.readableBytesView.prefix(addressBytes))
        else { throw malformed() }
        return source
    }
}
