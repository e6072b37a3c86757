/// One message in an inbox.
package struct InboxEntry: Hashable, Sendable {
    package let id: StreamPosition
    /// The entry before it in the same page; for the first one, where the page begins (nil at the inbox's start).
    package let previous: StreamPosition?
    package let message: StoredMessage

    package init(id: StreamPosition, previous: StreamPosition?, message: StoredMessage) {
        self.id = id
        self.previous = previous
        self.message = message
    }
}

/// What a device has not acknowledged, oldest first, at most `Limits.inboxPageMessagesMax` messages and
/// `inboxPageBytesMax` bytes of data at once (but always one message).
package struct InboxPage: Hashable, Sendable {
    package let messages: [InboxEntry]
    /// More follow: ask with `after:` the last id of this page.
    package let isMore: Bool
    /// How many messages this device will never get, because the inbox was full and they were the oldest. Counted from
    /// where the page begins; collapsed and expired ones are not among them. Told again with each page that begins at
    /// the same place, until the device acknowledges something newer.
    package let trimmed: Int
    /// The last id that was ever given in this inbox when the page was read; nil when there was none. Without `isMore`,
    /// whoever has this page has everything up to here.
    package let upTo: StreamPosition?

    package init(messages: [InboxEntry], isMore: Bool, trimmed: Int, upTo: StreamPosition?) {
        self.messages = messages
        self.isMore = isMore
        self.trimmed = trimmed
        self.upTo = upTo
    }

    /// What a device gets that takes no stored messages, or whose client never had one.
    package static let empty = InboxPage(messages: [], isMore: false, trimmed: 0, upTo: nil)
}

/// An inbox as an operator sees it.
package struct InboxSummary: Hashable, Sendable {
    /// Entries that are kept, those included that every device has acknowledged and that go soon.
    package let count: Int
    /// Bytes of their data.
    package let bytes: Int
    package let oldest: StreamPosition?
    /// The last id that was ever given.
    package let last: StreamPosition?
    /// The furthest that any device has acknowledged.
    package let acknowledged: StreamPosition
    package let devices: [InboxDevice]

    package init(
        count: Int, bytes: Int, oldest: StreamPosition?, last: StreamPosition?, acknowledged: StreamPosition,
        devices: [InboxDevice]
    ) {
        self.count = count
        self.bytes = bytes
        self.oldest = oldest
        self.last = last
        self.acknowledged = acknowledged
        self.devices = devices
    }

    package static let none = InboxSummary(
        count: 0, bytes: 0, oldest: nil, last: nil, acknowledged: .start, devices: [])
}

/// How far one device of a client has come.
package struct InboxDevice: Hashable, Sendable {
    package let device: DeviceID
    /// It has acknowledged everything up to here.
    package let cursor: StreamPosition
    /// Messages beyond its cursor that a full inbox has lost.
    package let trimmed: Int
    /// Unix milliseconds of its last claim or acknowledgement, to within an hour.
    package let seenAtMilliseconds: UInt64

    package init(device: DeviceID, cursor: StreamPosition, trimmed: Int, seenAtMilliseconds: UInt64) {
        self.device = device
        self.cursor = cursor
        self.trimmed = trimmed
        self.seenAtMilliseconds = seenAtMilliseconds
    }
}
