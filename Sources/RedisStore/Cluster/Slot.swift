import Common

/// One of the 16,384 hash slots of Redis Cluster (Redis Cluster specification, "Key distribution model").
package struct Slot: Hashable, Sendable, Comparable {
    package static let count = 16_384

    package let index: UInt16

    package init?(exactly index: UInt16) {
        guard index < Slot.count else { return nil }
        self.index = index
    }

    /// The slot of a key: of what stands between the first `{` and the next `}`, if that is not empty, else of all of
    /// it ("Hash tags").
    package init(ofKey key: String) {
        let bytes = key.utf8
        var hashed = bytes[...]
        if let open = bytes.firstIndex(of: UInt8(ascii: "{")) {
            let inside = bytes[bytes.index(after: open)...]
            if let close = inside.firstIndex(of: UInt8(ascii: "}")), close > inside.startIndex {
                hashed = inside[..<close]
            }
        }
        index = CRC16.xmodem(hashed) % UInt16(Slot.count)
    }

    package init(of bucket: Bucket) { self = Self.ofBucket[Int(bucket.index)] }

    private static let ofBucket: [Slot] = Bucket.all.map { Slot(ofKey: $0.tag) }

    package static func < (left: Slot, right: Slot) -> Bool { left.index < right.index }
}
