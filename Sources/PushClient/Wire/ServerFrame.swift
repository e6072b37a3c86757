/// What the server says, as JSON text frames of `windfire.v1`.
enum ServerFrame: Equatable {
    case welcome(node: String, heartbeat: Duration?)
    case message(PushClient.Message)
    /// So many stored messages were lost to this device.
    case gap(missed: Int)
    /// So many messages of a topic cannot be replayed.
    case topicGap(TopicGap)
    /// What came to a merged topic within its window, without what its rule left out.
    case batch(topic: String, [PushClient.Message], leftOut: Int)
    case pong
    /// Answer to a request that carried `ref`. `delivered` is there for `send` and `publish`, `position` for a
    /// `subscribe` to a topic that keeps a history.
    case ok(ref: Int, delivered: Int?, position: String? = nil)
    /// Answer to a request, when it has a `ref`; else the reason of a close that follows.
    case error(ref: Int?, Refusal)
    case move(PushClient.Node, after: Duration)
    /// An operation of a newer server.
    case unknown

    struct Refusal: Equatable {
        var code: String
        var message: String
        var advice: ConnectionEnd.Advice?
        var retryAfter: Duration?
    }

    struct TopicGap: Equatable {
        var topic: String
        var missed: Int
        var reason: String
    }

    /// Nil when the bytes are not a frame of this protocol.
    init?(_ bytes: [UInt8]) {
        guard let fields = JSONFields(bytes), let operation = fields.string("op") else { return nil }
        switch operation {
        case "welcome":
            self = .welcome(
                node: fields.string("node") ?? "",
                heartbeat: fields.number("heartbeat_s").flatMap { Self.milliseconds($0 * 1_000) })
        case "message":
            guard let message = Self.message(fields, topic: fields.string("topic")) else { return nil }
            self = .message(message)
        case "batch":
            guard let topic = fields.string("topic"), let elements = fields.elements("messages") else { return nil }
            let messages = elements.compactMap { element in
                JSONFields(Array(element)).flatMap { Self.message($0, topic: topic) }
            }
            guard messages.count == elements.count else { return nil }
            self = .batch(topic: topic, messages, leftOut: max(0, fields.integer("left_out") ?? 0))
        case "gap":
            let missed = max(0, fields.integer("missed") ?? 0)
            guard let topic = fields.string("topic") else {
                self = .gap(missed: missed)
                return
            }
            self = .topicGap(TopicGap(topic: topic, missed: missed, reason: fields.string("reason") ?? ""))
        case "pong": self = .pong
        case "ok":
            guard let ref = fields.integer("ref") else { return nil }
            self = .ok(ref: ref, delivered: fields.integer("delivered"), position: fields.string("position"))
        case "error":
            let refusal = Refusal(
                code: fields.string("code") ?? "unknown", message: fields.string("message") ?? "",
                advice: fields.string("reconnect").flatMap(ConnectionEnd.Advice.init(rawValue:)),
                retryAfter: fields.number("retry_after_ms").flatMap { Self.milliseconds($0) })
            self = .error(ref: fields.integer("ref"), refusal)
        case "move":
            guard let node = fields.object("node", as: NodeAnswer.self)?.dialable else { return nil }
            self = .move(node, after: fields.number("after_ms").flatMap { Self.milliseconds($0) } ?? .zero)
        default: self = .unknown
        }
    }

    private static func message(_ fields: JSONFields, topic: String?) -> PushClient.Message? {
        guard let id = fields.string("id"), let data = fields.raw("data") else { return nil }
        return PushClient.Message(
            id: id, data: Array(data), timestamp: fields.integer("ts") ?? 0, from: fields.string("from"),
            wantsAcknowledgement: fields.bool("ack") ?? false, topic: topic, position: fields.string("position"))
    }

    /// From 0 to a day: no frame can make a wait that never ends.
    private static func milliseconds(_ number: Double) -> Duration? {
        number.isFinite && number >= 0 ? .milliseconds(Int64(min(number, 86_400_000))) : nil
    }
}
