/// Order of the claims of one bucket, given by the route store: the larger of the last one plus one and the store's
/// clock in microseconds, so that it also rises across a wiped store. A writer with an older epoch is stale.
package struct Epoch: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    /// A session that could not be claimed yet because the store was away.
    package static let none = Epoch(0)

    package var description: String { String(value) }

    package static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
}

/// How often a client's tokens were revoked. A token of an older generation is refused at claim.
package struct Generation: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static let first = Generation(0)

    package var description: String { String(value) }

    package static func < (left: Generation, right: Generation) -> Bool { left.value < right.value }
}
