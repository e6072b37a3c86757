import Common
import NIOCore

/// A body in pieces of at most 64 KiB, unpacked where it was packed, so that what one piece brings (ids, chunks) is
/// bounded whatever the network hands over at once.
struct BodyPieces {
    private static let bytesMax = 64 << 10

    private let inflater: Inflater?
    private var plain = ByteBuffer()

    /// - Parameter isPacked: the body is in gzip.
    init(isPacked: Bool, limits: Limits) throws(WindfireError) {
        inflater = isPacked ? try Inflater(limits: limits) : nil
    }

    /// Call `next` until there is nothing more, then give the next buffer.
    mutating func add(_ buffer: ByteBuffer) {
        if let inflater { inflater.add(buffer) } else { plain = buffer }
    }

    /// - Returns: nil when what was added is used up.
    /// - Throws: as `Inflater.next`.
    mutating func next() throws(WindfireError) -> ByteBuffer? {
        if let inflater { return try inflater.next() }
        guard plain.readableBytes > 0 else { return nil }
        return plain.readSlice(length: min(plain.readableBytes, Self.bytesMax))
    }

    /// - Throws: as `Inflater.finish`.
    func finish() throws(WindfireError) { try inflater?.finish() }
}
