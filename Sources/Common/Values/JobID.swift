/// Names one push job: a UUIDv7, so that jobs sort by when they were made.
package struct JobID: Hashable, Sendable, CustomStringConvertible, Comparable {
    package let uuid: UUIDv7

    package init(_ uuid: UUIDv7) { self.uuid = uuid }

    /// - Throws: `invalid_id` unless the text is a UUID of version 7.
    package init(_ text: some StringProtocol) throws(WindfireError) {
        guard let uuid = UUIDv7(text) else { throw WindfireError(.invalidID, "job id is not a UUID of version 7") }
        self.uuid = uuid
    }

    package var description: String { uuid.description }

    package static func < (left: JobID, right: JobID) -> Bool {
        (left.uuid.high, left.uuid.low) < (right.uuid.high, right.uuid.low)
    }
}
