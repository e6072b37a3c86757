/// A stored message's place in one inbox.
package struct StoredPlace: Hashable, Sendable {
    package let position: StreamPosition
    /// The entry that lay before it: a session that was sent everything up to there misses nothing in between.
    package let previous: StreamPosition?

    package init(position: StreamPosition, previous: StreamPosition?) {
        self.position = position
        self.previous = previous
    }
}
