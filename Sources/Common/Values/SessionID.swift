/// One connection that said hello: 16 bytes, written as 32 hex digits. The first byte names the event loop that owns
/// the connection, the rest is random, so a delivery finds its loop from the route alone.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 16

    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter shard: index of the owning event loop.
    package init(shard: UInt8, random: (UInt64, UInt64)) {
        self.init(high: UInt64(shard) << 56 | random.0 & 0x00FF_FFFF_FFFF_FFFF, low: random.1)
    }

    /// Index of the event loop that owns the connection.
    package var shard: UInt8 { UInt8(truncatingIfNeeded: high >> 56) }

    /// - Throws: `invalid_id` unless the text is 32 hex digits.
    package init(_ text: some StringProtocol) throws(WindfireError) {
        let utf8 = text.utf8
        guard utf8.count == 32, let middle = utf8.index(utf8.startIndex, offsetBy: 16, limitedBy: utf8.endIndex),
            let high = UInt64(hex16: text[..<middle]), let low = UInt64(hex16: text[middle...])
        else { throw WindfireError(.invalidID, "session id is not 32 hex digits") }
        self.init(high: high, low: low)
    }

    package var description: String { high.hex16 + low.hex16 }

    // 120 of the bits are random and chosen by the node, so no caller can steer collisions: hashing eight bytes is
    // enough.
    package func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
