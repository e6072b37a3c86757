import NIOCore

/// Cuts the frames of a server out of a buffer without copying: they are unmasked and, from this server, unfragmented
/// (RFC 6455, section 5.2). Pure.
enum ServerFrameScanner {
    enum Result: Equatable {
        case frame(opcode: UInt8, payloadBytes: Int)
        case needsMore
        /// Not what a server of ours sends.
        case bad
    }

    /// Larger ones end the connection: no push is that large.
    static let payloadBytesMax = 4 << 20

    /// Moves the reader to the payload, when it is all there. The caller takes `payloadBytes`.
    static func next(_ buffer: inout ByteBuffer) -> Result {
        let start = buffer.readerIndex
        guard let first: UInt8 = buffer.getInteger(at: start), let second: UInt8 = buffer.getInteger(at: start + 1)
        else { return .needsMore }
        guard first & 0xF0 == 0x80, second & 0x80 == 0 else { return .bad }
        var headBytes = 2
        var payloadBytes = Int(second)
        if second == 126 {
            guard let length: UInt16 = buffer.getInteger(at: start + 2) else { return .needsMore }
            (headBytes, payloadBytes) = (4, Int(length))
        } else if second == 127 {
            guard let length: UInt64 = buffer.getInteger(at: start + 2) else { return .needsMore }
            guard length <= UInt64(payloadBytesMax) else { return .bad }
            (headBytes, payloadBytes) = (10, Int(length))
        }
        guard buffer.readableBytes >= headBytes + payloadBytes else { return .needsMore }
        buffer.moveReaderIndex(forwardBy: headBytes)
        return .frame(opcode: first & 0x0F, payloadBytes: payloadBytes)
    }
}
