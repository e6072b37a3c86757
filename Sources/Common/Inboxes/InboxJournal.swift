/// What changed in the inboxes, in order. Applied to empty inboxes in that order, the changes make the same inboxes
/// again; each says how things are afterwards, so that applying one twice does no harm.
package enum InboxChange: Hashable, Sendable {
    case stored(ClientID, StreamPosition, StoredMessage)
    case removed(ClientID, StreamPosition)
    /// Everything about the client's inbox but its messages.
    case marked(ClientID, InboxMarks)
    /// Nothing is left of the client.
    case forgotten(ClientID)
}

/// What an inbox remembers besides its messages.
package struct InboxMarks: Hashable, Sendable {
    /// The last id ever given; `.start` when there was none.
    package var last = StreamPosition.start
    /// The furthest that any device has acknowledged.
    package var acknowledged = StreamPosition.start
    /// The newest message that gave way because the inbox was full.
    package var trimmedUpTo = StreamPosition.start
    package var devices: [DeviceMark] = []

    package init() {}
}

package struct DeviceMark: Hashable, Sendable {
    package let device: DeviceID
    /// nil for a device that takes no stored messages.
    package var cursor: StreamPosition?
    /// Messages beyond the cursor that gave way.
    package var trimmed = 0
    package var seenAtMilliseconds: UInt64

    package init(device: DeviceID, cursor: StreamPosition?, trimmed: Int = 0, seenAtMilliseconds: UInt64) {
        self.device = device
        self.cursor = cursor
        self.trimmed = trimmed
        self.seenAtMilliseconds = seenAtMilliseconds
    }
}

/// Where the inboxes in memory are written down, so that those of `windfire dev --data-dir` outlive a restart.
package protocol InboxJournal: Sendable {
    /// Takes changes in, in the order of the calls, without waiting for a disk.
    func append(_ changes: [InboxChange])

    /// Returns when everything appended before is as durable as it will be. A message counts as stored only then.
    /// - Throws: `routes_unavailable` when it cannot be written.
    func flush() async throws(WindfireError)

    /// Everything in the journal, in order; or what it amounts to, in any order that gives the same.
    /// - Throws: `routes_unavailable` when it cannot be read.
    func replay() async throws(WindfireError) -> [InboxChange]
}
