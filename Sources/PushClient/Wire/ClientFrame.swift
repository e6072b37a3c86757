import Foundation

/// What the client says, as JSON text frames of `windfire.v1`.
enum ClientFrame: Equatable {
    case hello(token: String, device: String?, takesInbox: Bool = true)
    case acknowledge(id: String)
    case ping
    case token(String, ref: Int)
    /// `data` is one JSON value; it is put in as it stands.
    case send(to: String, data: [UInt8], ref: Int)
    /// `since` is a position in the topic's history.
    case subscribe(String, since: String?, ref: Int)
    case unsubscribe(String, ref: Int)
    case publish([UInt8], to: String, ref: Int)

    var text: String {
        switch self {
        case .hello(let token, let device, let takesInbox):
            let device = device.map { #","device":\#(Self.quoted($0))"# } ?? ""
            let inbox = takesInbox ? "" : #","inbox":false"#
            return #"{"op":"hello","token":\#(Self.quoted(token))\#(device)\#(inbox)}"#
        case .acknowledge(let id): return #"{"op":"ack","id":\#(Self.quoted(id))}"#
        case .ping: return #"{"op":"ping"}"#
        case .token(let token, let ref): return #"{"op":"token","token":\#(Self.quoted(token)),"ref":\#(ref)}"#
        case .send(let client, let data, let ref):
            let data = String(decoding: data, as: UTF8.self)
            return #"{"op":"send","to":\#(Self.quoted(client)),"data":\#(data),"ref":\#(ref)}"#
        case .subscribe(let topic, let since, let ref):
            let since = since.map { #","since":\#(Self.quoted($0))"# } ?? ""
            return #"{"op":"subscribe","topic":\#(Self.quoted(topic))\#(since),"ref":\#(ref)}"#
        case .unsubscribe(let topic, let ref):
            return #"{"op":"unsubscribe","topic":\#(Self.quoted(topic)),"ref":\#(ref)}"#
        case .publish(let data, let topic, let ref):
            let data = String(decoding: data, as: UTF8.self)
            return #"{"op":"publish","topic":\#(Self.quoted(topic)),"data":\#(data),"ref":\#(ref)}"#
        }
    }

    /// A JSON string (RFC 8259, section 7): quotation mark, backslash and control characters are escaped.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Whether the bytes are one JSON value and can stand in a frame.
    static func isJSONValue(_ data: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(data), options: .fragmentsAllowed)) != nil
    }
}
