/// What the server says, as JSON text frames of `windfire.v1`.
enum ServerFrame: Equatable {
    case welcome(node: String, heartbeat: Duration?)
    case message(PushClient.Message)
    /// So many stored messages were lost to this device.
    case gap(missed: Int)
    case pong
    /// Answer to a request that carried `ref`. `delivered` is there for `send`.
    case ok(ref: Int, delivered: Int?)
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

    /// Nil when the bytes are not a frame of this protocol.
    init?(_ bytes: [UInt8]) {
        guard let fields = JSONFields(bytes), let operation = fields.string("op") else { return nil }
        switch operation {
        case "welcome":
            self = .welcome(
                node: fields.string("node") ?? "",
                heartbeat: fields.number("heartbeat_s").flatMap { Self.milliseconds($0 * 1_000) })
        case "message":
            guard let id = fields.string("id"), let data = fields.raw("data") else { return nil }
            self = .message(
                PushClient.Message(
                    id: id, data: Array(data), timestamp: fields.integer("ts") ?? 0, from: fields.string("from"),
                    wantsAcknowledgement: fields.bool("ack") ?? false))
        case "gap": self = .gap(missed: max(0, fields.integer("missed") ?? 0))
        case "pong": self = .pong
        case "ok":
            guard let ref = fields.integer("ref") else { return nil }
            self = .ok(ref: ref, delivered: fields.integer("delivered"))
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

    /// From 0 to a day: no frame can make a wait that never ends.
    private static func milliseconds(_ number: Double) -> Duration? {
        number.isFinite && number >= 0 ? .milliseconds(Int64(min(number, 86_400_000))) : nil
    }
}
