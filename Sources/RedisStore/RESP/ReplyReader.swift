// hiredis's reply parser, used for the protocol alone: bytes go in from NIO buffers, whole replies come out. One object
// owns one `redisReader`; everything happens on the event loop of its connection.
//
// hiredis builds replies through a table of functions. The default table allocates one object per element; ours notes
// each element in two flat arrays (what it is; its bytes), which become a `RESPValue` when the reply is complete. So a
// reply of 500 strings costs one buffer and one array, not a thousand allocations.

import CHiredis
import NIOCore

/// Turns the bytes of one connection into replies, wherever they are cut.
final class ReplyReader {
    /// What one reply may cost. Crossing a bound ends the connection: the rest of the stream cannot be understood.
    struct Bounds {
        /// Bytes of one reply. The largest we ask for is a batch of routes, some 500 × 8 × 300 bytes at the very most.
        var bytesMax = 64 << 20
        /// Elements of one reply, nested ones included.
        var elementsMax = 1 << 20
    }

    struct Failure: Error, Equatable {
        let reason: String
    }

    private let reader: UnsafeMutablePointer<redisReader>
    private let builder: ReplyBuilder
    private let bounds: Bounds

    /// hiredis moves what is left of its buffer after each KiB of replies taken out, so it is fed in pieces.
    private static let feedBytesMax = 16 << 10

    init(bounds: Bounds = Bounds()) {
        guard let reader = redisReaderCreateWithFunctions(ReplyBuilder.functions) else {
            preconditionFailure("hiredis could not allocate a reader")
        }
        self.reader = reader
        self.bounds = bounds
        builder = ReplyBuilder(elementsMax: bounds.elementsMax)
        // Unretained: the builder lives exactly as long as this object, and so does the reader.
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit { redisReaderFree(reader) }

    /// Takes in the bytes and hands out each reply that is now complete, in order.
    /// - Throws: when the bytes are not RESP or a bound is crossed; the reader is of no use afterwards.
    func feed(_ bytes: ByteBuffer, _ body: (RESPValue) -> Void) throws(Failure) {
        var left = bytes
        while let piece = left.readSlice(length: min(left.readableBytes, Self.feedBytesMax)), piece.readableBytes > 0 {
            let unread = reader.pointee.len - reader.pointee.pos
            guard unread + builder.byteCount + piece.readableBytes <= bounds.bytesMax else {
                throw Failure(reason: "a reply is larger than \(bounds.bytesMax) bytes")
            }
            let fed = piece.withUnsafeReadableBytes { raw in
                redisReaderFeed(reader, raw.bindMemory(to: CChar.self).baseAddress, raw.count)
            }
            try check(fed)
            while let reply = try next() { body(reply) }
        }
    }

    private func next() throws(Failure) -> RESPValue? {
        var object: UnsafeMutableRawPointer?
        try check(redisReaderGetReply(reader, &object))
        return object == nil ? nil : builder.take()
    }

    /// The one place that looks at hiredis's return codes.
    private func check(_ code: Int32) throws(Failure) {
        guard code != REDIS_OK else { return }
        if let reason = builder.refusal { throw Failure(reason: reason) }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { raw in
            String(decoding: raw.prefix { $0 != 0 && $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
        }
        throw Failure(reason: text)
    }
}
