import Common
import NIOCore
import PushCore

/// Janus, the protocol of hotwheels: docs/protocols/janus.md. Frames to us end with 0x00 and are read as what stands
/// between two of those, wherever reads are cut, so that the prefix is just one more frame that says nothing. Only the
/// object behind `PUBLISH` has no terminator, and ends where its braces close.
struct JanusFrontend: Frontend {
    private let rules: JanusRules
    /// Bytes of an incomplete frame that were looked at and do not end it.
    private var seen: UInt32 = 0
    /// Set behind `PUBLISH`.
    private var publish: JanusObjectEnd?

    init(rules: JanusRules) { self.rules = rules }

    var encodingKey: EncodingKey { .janus }
    var traits: FrontendTraits { FrontendTraits(liveness: .afterDelivery, answersAlone: true) }

    // MARK: Reading

    mutating func receive(_ bytes: inout ByteBuffer, into events: inout [SessionEvent]) throws(WireError) {
        while bytes.readableBytes > 0 {
            guard publish == nil else {
                guard let object = try takeObject(from: &bytes) else { return }
                events.append(try JanusFrame.published(object))
                // Then the server closes; what a client says behind its publish, as a terminator, is nothing to us.
                events.append(.finished)
                return bytes.clear()
            }
            guard let payload = try takeFrame(from: &bytes) else { return }
            switch try JanusFrame(payload) {
            case .noise: break
            case .event(let event): events.append(event)
            case .publish: publish = JanusObjectEnd()
            }
        }
    }

    private mutating func takeFrame(from bytes: inout ByteBuffer) throws(WireError) -> ByteBuffer? {
        guard let end = bytes.readableBytesView.dropFirst(Int(seen)).firstIndex(of: 0) else {
            return try keepWaiting(with: bytes.readableBytes)
        }
        let length = end - bytes.readerIndex
        try check(length)
        seen = 0
        defer { bytes.moveReaderIndex(forwardBy: 1) }
        return bytes.readSlice(length: length)
    }

    private mutating func takeObject(from bytes: inout ByteBuffer) throws(WireError) -> ByteBuffer? {
        let before = Int(seen)
        let finding = bytes.withUnsafeReadableBytes { publish?.look(at: .init(rebasing: $0[before...])) }
        switch finding {
        case .needsMore, nil: return try keepWaiting(with: bytes.readableBytes)
        case .broken: throw WireError(.badProtocol, "no object follows PUBLISH")
        case .ends(let count):
            try check(before + count)
            seen = 0
            var object = bytes.readSlice(length: before + count) ?? ByteBuffer()
            // Empty frames and white space may stand in front of it.
            let start = object.readableBytesView.firstIndex(of: UInt8(ascii: "{"))
            object.moveReaderIndex(to: start ?? object.writerIndex)
            return object
        }
    }

    private mutating func keepWaiting(with count: Int) throws(WireError) -> ByteBuffer? {
        try check(count)
        seen = UInt32(clamping: count)
        return nil
    }

    private func check(_ length: Int) throws(WireError) {
        guard length <= rules.frameBytesMax else { throw WireError(.tooLarge, "a frame is too large") }
    }

    // MARK: Writing

    func encode(_ command: SessionCommand, into bytes: inout ByteBuffer) {
        JanusFrameWriter.write(command, microseconds: rules.clock, into: &bytes)
    }
}
