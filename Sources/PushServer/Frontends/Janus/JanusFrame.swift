import Common
import NIOCore
import PushCore

/// What stands between two terminators in what a client sends.
enum JanusFrame: Equatable {
    /// In front of every frame, by the protocol; here it may stand wherever a frame may begin, or be missing.
    static let prefix = "<regular-socket/>"

    /// The prefix, or nothing at all.
    case noise
    case event(SessionEvent)
    /// The word in front of the object of a publish.
    case publish

    /// - Parameter payload: without its terminator.
    /// - Throws: `bad_protocol` for what the original breaks off at: other words, broken JSON, objects of another shape
    ///   or with their members in another order.
    init(_ payload: ByteBuffer) throws(WireError) {
        let bytes = payload.readableBytesView
        if bytes.isEmpty || bytes.elementsEqual(Self.prefix.utf8) {
            self = .noise
        } else if bytes.elementsEqual("PING".utf8) || bytes.elementsEqual("PONG".utf8) {
            // The greeting does not wait for the one, and nobody waits for the other.
            self = .event(.heard)
        } else if bytes.elementsEqual("PUBLISH".utf8) {
            self = .publish
        } else {
            self = .event(try Self.action(payload))
        }
    }

    /// An action that is not known is passed over: the original keeps such a connection too.
    private static func action(_ payload: ByteBuffer) throws(WireError) -> SessionEvent {
        guard let members = JanusObject.members("action", "data", of: payload) else {
            throw WireError(.badProtocol, "a frame is neither a word nor an action with its data")
        }
        let action = JanusObject.text(of: members[0])
        guard action == "subscribe" || action == "unsubscribe" else { return .heard }
        do throws(WindfireError) {
            // A topic and not a pattern: the protocol knows no wildcards.
            let pattern = TopicPattern(try Self.topic(members[1]))
            return action == "subscribe" ? .subscribe(pattern, ref: nil) : .unsubscribe(pattern, ref: nil)
        } catch {
            return .invalid(error, ref: nil)
        }
    }

    /// What the object behind `PUBLISH` asks for.
    /// - Throws: `bad_protocol` when it is of another shape.
    static func published(_ object: ByteBuffer) throws(WireError) -> SessionEvent {
        guard let members = JanusObject.members("topic", "event", "message_id", "data", of: object) else {
            throw WireError(.badProtocol, "a publish is not a topic, an event, a message id and data")
        }
        let envelope = JanusEnvelope(event: members[1], messageID: members[2], data: members[3])
        do throws(WindfireError) {
            return .publish(try topic(members[0]), data: envelope.json, ref: nil)
        } catch {
            return .invalid(error, ref: nil)
        }
    }

    private static func topic(_ json: ByteBuffer) throws(WindfireError) -> Topic {
        guard let text = JanusObject.text(of: json) else {
            throw WindfireError(.invalidTopic, "a topic is a string")
        }
        return try Topic(text)
    }
}
