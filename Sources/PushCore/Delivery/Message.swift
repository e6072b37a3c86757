import Common
import NIOCore

/// One message on its way to sessions: encoded once per encoding, however many receive it.
package struct Message: Equatable, Sendable {
    package let id: MessageID
    /// Unix milliseconds of the push.
    package let timestampMilliseconds: UInt64
    /// One JSON value, byte for byte as it was pushed.
    package let data: ByteBuffer
    /// Set when another client sent it.
    package let from: ClientID?
    /// Set when it was published to a topic.
    package let topic: Topic?
    /// Its place in what the topic keeps, if it keeps anything.
    package let position: HistoryPosition?
    /// A newer message with this key may replace an older one that still waits.
    package let collapseKey: String?
    /// Whether the sender waits for an acknowledgement.
    package let wantsAcknowledgement: Bool

    package init(
        id: MessageID, timestampMilliseconds: UInt64, data: ByteBuffer, from: ClientID? = nil,
        topic: Topic? = nil, position: HistoryPosition? = nil, collapseKey: String? = nil,
        wantsAcknowledgement: Bool = false
    ) {
        self.id = id
        self.timestampMilliseconds = timestampMilliseconds
        self.data = data
        self.from = from
        self.topic = topic
        self.position = position
        self.collapseKey = collapseKey
        self.wantsAcknowledgement = wantsAcknowledgement
    }

    /// The same message at its place in one inbox.
    package func stored(at position: StreamPosition) -> Message {
        Message(
            id: position.messageID, timestampMilliseconds: timestampMilliseconds, data: data, from: from,
            wantsAcknowledgement: true)
    }
}
