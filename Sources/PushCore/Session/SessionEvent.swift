import Common
import NIOCore

/// What a front-end understood of the bytes it read.
package enum SessionEvent: Equatable, Sendable {
    /// The first thing a device says, in a frame or in the request that opened the connection.
    /// `takesInbox`: stored messages are for it too, and it acknowledges them.
    case hello(token: String, device: DeviceID?, takesInbox: Bool = true)
    /// The protocol has no tokens: whoever speaks it may do this, and is nobody's client.
    case enter(anonymous: SessionPermissions)
    /// A newer token, before the present one ends.
    case renew(token: String, ref: Reference?)
    /// Everything up to this message has been received.
    case acknowledge(MessageID)
    /// A message for another client: `data` is one JSON value.
    case send(to: ClientID, data: ByteBuffer, ref: Reference?)
    /// Messages of these topics, from now on; with `since`, first what the one topic kept behind that place.
    case subscribe(TopicPattern, since: HistoryPosition? = nil, ref: Reference?)
    case unsubscribe(TopicPattern, ref: Reference?)
    /// A message for the subscribers of a topic: `data` is one JSON value.
    case publish(Topic, data: ByteBuffer, ref: Reference?)
    /// The protocol's own question whether we are there.
    case ping
    /// A sign of life that asks for nothing.
    case heard
    /// Well-formed, but not to be done: answered with an error, and the connection goes on.
    case invalid(WindfireError, ref: Reference?)
    /// Bytes the wire itself demands in return (a WebSocket pong, an echo), to be written as they are.
    case reply(ByteBuffer)
    /// The other side said that it leaves; `reply` is what its protocol wants to hear before the end.
    case leaving(reply: ByteBuffer)
    /// By its protocol this was all: our side ends the connection without a word.
    case finished
}

/// What a device calls one of its requests: a JSON number or string that comes back with the answer, byte for byte.
package struct Reference: Hashable, Sendable {
    package static let bytesMax = 64

    package let json: String

    /// Nil when the text is longer than `bytesMax` bytes.
    package init?(json: String) {
        guard json.utf8.count <= Self.bytesMax else { return nil }
        self.json = json
    }
}
