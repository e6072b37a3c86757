import NIOCore

/// Receive buffers of a device connection. A channel keeps the first buffer that it was given for as long as it lives;
/// so the first is tiny, and every later one is sized by what came before, used for one read, and given back. An idle
/// connection then holds 64 bytes, whatever its login took.
struct ReceiveBuffers: RecvByteBufferAllocator {
    private static let first = 64
    private static let smallest = 1_024
    private static let largest = 16_384

    private var next = Int32(Self.first)

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: Int(next)) }

    /// - Returns: always true, which makes the channel ask for a new buffer instead of using its first again.
    mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= next {
            next = min(max(next * 2, Int32(Self.smallest)), Int32(Self.largest))
        } else if actualReadBytes < next / 4 {
            next = max(next / 2, Int32(Self.smallest))
        } else {
            next = max(next, Int32(Self.smallest))
        }
        return true
    }
}
