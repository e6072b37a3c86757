/// What a job pushes and how. Known when its list was read to the end, for it may stand behind the ids.
package struct JobOrder: Hashable, Sendable {
    /// Opaque to the store; at most `JobLimits.specificationBytesMax` bytes.
    package let specification: [UInt8]
    /// The messages wait in inboxes until they are acknowledged.
    package let isStored: Bool
    /// Clients per second at most; nil for as fast as it goes. Kept for who works on it, not enforced by the store.
    package let ratePerSecond: Int?
    /// When the messages are worth nothing any more, by the creator's clock; Unix milliseconds. Nil for never. Not
    /// enforced by the store either.
    package let expiresAt: UInt64?

    package init(
        specification: [UInt8], isStored: Bool = false, ratePerSecond: Int? = nil, expiresAt: UInt64? = nil
    ) {
        self.specification = specification
        self.isStored = isStored
        self.ratePerSecond = ratePerSecond
        self.expiresAt = expiresAt
    }
}
