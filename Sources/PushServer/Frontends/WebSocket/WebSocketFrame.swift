import Common
import NIOCore
import PushCore

/// What kind of frame it is (RFC 6455, section 5.2).
enum WebSocketOpcode: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { rawValue >= 0x8 }
}

/// The first bytes of a frame from a client (RFC 6455, section 5.2): 2 to 10, then 4 of masking key.
struct WebSocketFrameHeader: Equatable {
    let isFinal: Bool
    let opcode: WebSocketOpcode
    let payloadLength: Int
    /// The masking key as it stands in memory: its first byte masks the first byte of the payload.
    let mask: UInt32

    /// Takes a header from the front of `bytes`; nil while it is incomplete.
    /// - Throws: `bad_protocol` for everything that section 5 forbids a client.
    static func take(from bytes: inout ByteBuffer) throws(WireError) -> WebSocketFrameHeader? {
        let start = bytes.readerIndex
        guard let first: UInt8 = bytes.getInteger(at: start), let second: UInt8 = bytes.getInteger(at: start + 1)
        else { return nil }
        guard first & 0x70 == 0 else { throw WireError(.badProtocol, "a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
            throw WireError(.badProtocol, "the opcode is reserved")
        }
        guard second & 0x80 != 0 else { throw WireError(.badProtocol, "a client's frame is not masked") }
        let isFinal = first & 0x80 != 0
        var length = Int(second & 0x7F)
        if opcode.isControl {
            guard isFinal else { throw WireError(.badProtocol, "a control frame is fragmented") }
            guard length <= 125 else { throw WireError(.badProtocol, "a control frame is longer than 125 bytes") }
        }
        var size = 2
        switch length {
        case 126:
            guard let long: UInt16 = bytes.getInteger(at: start + 2) else { return nil }
            guard long > 125 else { throw WireError(.badProtocol, "the length is not in its shortest form") }
            length = Int(long)
            size = 4
        case 127:
            guard let long: UInt64 = bytes.getInteger(at: start + 2) else { return nil }
            guard long > 0xFFFF, long <= UInt64(Int64.max) else {
                throw WireError(.badProtocol, "the length is not in its shortest form")
            }
            length = Int(long)
            size = 10
        default: break
        }
        guard let mask: UInt32 = bytes.getInteger(at: start + size, endianness: .host) else { return nil }
        bytes.moveReaderIndex(forwardBy: size + 4)
        return WebSocketFrameHeader(isFinal: isFinal, opcode: opcode, payloadLength: length, mask: mask)
    }
}

extension ByteBuffer {
    /// Appends the header of an unmasked frame, as servers send them.
    mutating func writeWebSocketHeader(_ opcode: WebSocketOpcode, payloadLength: Int) {
        writeInteger(0x80 | opcode.rawValue)
        switch payloadLength {
        case ...125: writeInteger(UInt8(payloadLength))
        case ...0xFFFF:
            writeInteger(UInt8(126))
            writeInteger(UInt16(payloadLength))
        default:
            writeInteger(UInt8(127))
            writeInteger(UInt64(payloadLength))
        }
    }

    /// Unmasks the readable bytes in place (RFC 6455, section 5.3).
    /// - Parameter phase: how many bytes of the payload came before.
    mutating func unmask(_ mask: UInt32, phase: Int) {
        guard mask != 0, readableBytes > 0 else { return }
        // Turn the key so that its first byte is the one due now.
        let turn = UInt32(phase & 3) * 8
        let key = turn == 0 ? mask : mask >> turn | mask << (32 - turn)
        let wide = UInt64(key) | UInt64(key) << 32
        withUnsafeMutableReadableBytes { payload in
            var place = 0
            while place + 8 <= payload.count {
                let word = payload.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                payload.storeBytes(of: word ^ wide, toByteOffset: place, as: UInt64.self)
                place += 8
            }
            while place < payload.count {
                payload[place] ^= UInt8(truncatingIfNeeded: key >> (UInt32(place & 3) * 8))
                place += 1
            }
        }
    }
}
