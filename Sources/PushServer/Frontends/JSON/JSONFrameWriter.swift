import Common
import PushCore

/// Writes one frame for a device.
enum JSONFrameWriter {
    /// Nil for commands that the wire beneath says in its own way.
    static func frame(for command: SessionCommand) -> [UInt8]? {
        switch command {
        case .welcome(let identity, let heartbeat): welcome(identity, heartbeat: heartbeat)
        case .message(let message): self.message(message)
        case .batch(let topic, let messages, let leftOut): batch(topic, messages, leftOut: leftOut)
        case .topicGap(let topic, let gap):
            object("gap", capacity: 128 + topic.text.utf8.count) { writer in
                writer.member("topic", topic.text)
                writer.member("missed", gap.missed)
                writer.member("reason", gap.reason.rawValue)
            }
        case .gap(let missed): object("gap", capacity: 32) { $0.member("missed", missed) }
        case .ok(let ref, let delivered, let expiresAt):
            object("ok", capacity: 96) { writer in
                writer.member("ref", ref)
                if let delivered { writer.member("delivered", delivered) }
                if let expiresAt { writer.member("expires_at", expiresAt) }
            }
        case .subscribed(_, let ref, let position, let isLocal):
            object("ok", capacity: 96) { writer in
                writer.member("ref", ref)
                if let position { writer.member("position", position.description) }
                if isLocal {
                    writer.key("local")
                    writer.boolean(true)
                }
            }
        case .error(let code, let message, let ref):
            object("error", capacity: 160) { writer in
                writer.member("ref", ref)
                writer.member("code", code.name)
                writer.member("message", message)
            }
        case .close(let reason): lastWords(reason)
        case .pong: object("pong", capacity: 16) { _ in }
        case .ping: nil
        }
    }

    private static func welcome(_ identity: SessionIdentity, heartbeat: Duration) -> [UInt8] {
        object("welcome", capacity: 256) { writer in
            writer.member("session", identity.session.description)
            writer.member("node", identity.route.incarnation.node.text)
            writer.member("client", identity.client.text)
            writer.member("device", identity.route.device.text)
            writer.member("heartbeat_s", heartbeat.components.seconds)
        }
    }

    private static func message(_ message: Message) -> [UInt8] {
        object("message", capacity: 192 + message.data.readableBytes) { writer in
            if let topic = message.topic { writer.member("topic", topic.text) }
            writer.members(of: message)
            writer.key("ack")
            writer.boolean(message.wantsAcknowledgement)
        }
    }

    private static func batch(_ topic: Topic, _ messages: [Message], leftOut: Int) -> [UInt8] {
        let size = messages.reduce(192) { $0 + 160 + $1.data.readableBytes }
        return object("batch", capacity: size) { writer in
            writer.member("topic", topic.text)
            if leftOut > 0 { writer.member("left_out", leftOut) }
            writer.key("messages")
            writer.beginArray()
            for message in messages {
                writer.beginObject()
                writer.members(of: message)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// Why the connection ends and whether to come back, for clients that do not know the numbers. A client that leaves
    /// by itself needs no such word.
    private static func lastWords(_ reason: CloseReason) -> [UInt8]? {
        guard reason != .clientLeft else { return nil }
        return object("error", capacity: 192) { writer in
            writer.member("code", reason.name)
            writer.member("message", reason.meaning)
            switch reason.comeBack {
            case .never: writer.member("reconnect", "never")
            case .withNewToken: writer.member("reconnect", "new_token")
            case .after(let delay):
                writer.member("reconnect", "after")
                writer.member("retry_after_ms", delay.components.seconds * 1000)
            }
        }
    }

    private static func object(
        _ operation: String, capacity: Int, _ body: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.beginObject()
        writer.member("op", operation)
        body(&writer)
        writer.endObject()
        return writer.bytes
    }
}

extension JSONWriter {
    /// What a message is, alone or in a batch.
    fileprivate mutating func members(of message: Message) {
        member("id", message.id.text)
        key("data")
        raw(message.data.readableBytesView)
        member("ts", message.timestampMilliseconds)
        if let from = message.from { member("from", from.text) }
        if let position = message.position { member("position", position.description) }
    }

    fileprivate mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    fileprivate mutating func member(_ name: StaticString, _ number: some BinaryInteger) {
        key(name)
        integer(number)
    }

    fileprivate mutating func member(_ name: StaticString, _ ref: Reference?) {
        guard let ref else { return }
        key(name)
        raw(ref.json.utf8)
    }
}
