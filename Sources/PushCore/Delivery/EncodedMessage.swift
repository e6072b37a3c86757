import NIOCore

/// The encodings of one message, made when a session first asks: one per encoding, shared by all that use it.
///
/// Nodes have a handful of encodings and nearly every fan-out uses one, so a list with a linear search is the fastest
/// map.
package struct EncodedMessage {
    package let message: Message
    private var encodings: [(key: EncodingKey, bytes: ByteBuffer)] = []

    package init(_ message: Message) { self.message = message }

    /// The message in the encoding of a front-end.
    package mutating func bytes(for frontend: inout some Frontend, allocator: ByteBufferAllocator) -> ByteBuffer {
        let key = frontend.encodingKey
        if let known = encodings.first(where: { $0.key == key }) { return known.bytes }
        var bytes = allocator.buffer(capacity: message.data.readableBytes + 160)
        frontend.encode(.message(message), into: &bytes)
        encodings.append((key, bytes))
        return bytes
    }
}
