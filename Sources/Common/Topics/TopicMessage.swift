/// One message published to a topic, or to everyone.
package struct TopicMessage: Hashable, Sendable {
    package var id: MessageID
    /// Unix milliseconds of the publish.
    package var timestampMilliseconds: UInt64
    /// One JSON value.
    package var data: [UInt8]
    /// Set when a client published it.
    package var from: ClientID?

    package init(id: MessageID, timestampMilliseconds: UInt64, data: [UInt8], from: ClientID? = nil) {
        self.id = id
        self.timestampMilliseconds = timestampMilliseconds
        self.data = data
        self.from = from
    }
}
