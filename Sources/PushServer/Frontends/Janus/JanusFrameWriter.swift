import Common
import NIOCore
import PushCore

/// Writes frames for a Janus client: a word or an object, and 0x01 behind it.
enum JanusFrameWriter {
    private static let terminator: UInt8 = 0x01

    /// Appends nothing for commands that the protocol has no words for: errors, gaps, the reason of a close.
    /// - Parameter microseconds: the wall clock, asked for greetings alone.
    static func write(_ command: SessionCommand, microseconds: () -> UInt64, into bytes: inout ByteBuffer) {
        switch command {
        case .welcome(let identity, _): writeGreeting(identity.session, at: microseconds(), into: &bytes)
        case .message(let message): write(message, into: &bytes)
        case .batch(_, let messages, _): for message in messages { write(message, into: &bytes) }
        case .subscribed: write("ACK", into: &bytes)
        case .ping: write("PING", into: &bytes)
        case .topicGap, .gap, .ok, .error, .pong, .close: break
        }
    }

    private static func write(_ word: StaticString, into bytes: inout ByteBuffer) {
        bytes.writeStaticString(word)
        bytes.writeInteger(terminator)
    }

    /// The token is a session id of 32 hex digits, sent as the codes of its characters.
    private static func writeGreeting(_ session: SessionID, at microseconds: UInt64, into bytes: inout ByteBuffer) {
        var writer = JSONWriter(capacity: 192)
        writer.beginObject()
        writer.timestamp(microseconds)
        writer.key("token")
        writer.beginArray()
        for character in session.description.utf8 { writer.integer(character) }
        writer.endArray()
        writer.endObject()
        write(writer, into: &bytes)
    }

    /// What was not published by a Janus client is told as the event `message`, with our own id. What goes to everyone
    /// has no topic: the empty one, which no topic is.
    private static func write(_ message: Message, into bytes: inout ByteBuffer) {
        let envelope = JanusEnvelope(json: message.data)
        var writer = JSONWriter(capacity: 160 + message.data.readableBytes)
        writer.beginObject()
        writer.timestamp(min(message.timestampMilliseconds, .max / 1_000) * 1_000)
        writer.key("topic")
        writer.string(message.topic?.text ?? "")
        writer.key("event")
        if let envelope { writer.raw(envelope.event.readableBytesView) } else { writer.string("message") }
        writer.key("message_id")
        if let envelope { writer.raw(envelope.messageID.readableBytesView) } else { writer.string(message.id.text) }
        writer.key("data")
        writer.raw((envelope?.data ?? message.data).readableBytesView)
        writer.endObject()
        write(writer, into: &bytes)
    }

    private static func write(_ writer: JSONWriter, into bytes: inout ByteBuffer) {
        bytes.writeBytes(writer.bytes)
        bytes.writeInteger(terminator)
    }
}

extension JSONWriter {
    /// Megaseconds, seconds and microseconds since 1970, as Erlang's `now()` counts.
    fileprivate mutating func timestamp(_ microseconds: UInt64) {
        let seconds = microseconds / 1_000_000
        key("timestamp")
        beginArray()
        integer(seconds / 1_000_000)
        integer(seconds % 1_000_000)
        integer(microseconds % 1_000_000)
        endArray()
    }
}
