/// Everything about a client lives in one of 1,024 buckets, written `{0000}`…`{1023}` as a Redis Cluster hash tag, so
/// that a script that touches one client touches one slot.
package struct Bucket: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let count = 1024

    package let index: UInt16

    package init(_ index: UInt16) {
        precondition(index < Bucket.count, "there are \(Bucket.count) buckets")
        self.index = index
    }

    package init(of client: ClientID) {
        index = CRC16.xmodem(client.text.utf8) % UInt16(Bucket.count)
    }

    package static var all: some Sequence<Bucket> { (0..<UInt16(count)).lazy.map(Bucket.init) }

    /// The hash tag: four digits in braces.
    package var tag: String {
        let digits = String(index)
        return "{" + String(repeating: "0", count: 4 - digits.utf8.count) + digits + "}"
    }

    package var description: String { tag }

    package static func < (left: Bucket, right: Bucket) -> Bool { left.index < right.index }
}
