import NIOCore

/// The encodings of one message, made when a session first asks: one per encoding, shared by all that use it.
///
/// Nodes have a handful of encodings and nearly every fan-out uses one, so a list with a linear search is the fastest
/// map.
package struct EncodedMessage {
    package let message: Message
    private var encodings: [(key: EncodingKey, bytes: ByteBuffer)] = []

    package init(_ message: Message) { self.message = message }

    /// The message in an encoding.
    /// - Parameter encode: makes its bytes, called for the first session of this encoding.
    package mutating func bytes(in key: EncodingKey, encode: (SessionCommand) -> ByteBuffer) -> ByteBuffer {
        for known in encodings where known.key == key { return known.bytes }
        let bytes = encode(.message(message))
        encodings.append((key, bytes))
        return bytes
    }
}
