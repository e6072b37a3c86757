import Common
import Crypto
import NIOCore
import PushCore

/// What the listener does with an HTTP request: upgrade to WebSocket at `/v1/connect`, or a short answer and the end.
struct HTTPOpening: Sendable {
    /// Origins that browsers may come from; empty allows all. Compared as a browser sends them (RFC 6454, section 7).
    let allowedOrigins: Set<String>
    let limits: WebSocketLimits
    let subprotocols: [any WebSocketSubprotocol.Type]
    /// The conformance endpoint answers wherever a suite knocks.
    var isEveryPath = false

    enum Decision {
        /// Write this and go on with the front-end; the request may have brought a hello.
        case upgrade(response: ByteBuffer, frontend: any Frontend, hello: SessionEvent?)
        /// Write this and end.
        case respond(ByteBuffer, CloseReason)
    }

    static let path = "/v1/connect"

    func decide(_ head: RequestHead) -> Decision {
        guard isEveryPath || head.path == Self.path else { return .problem(.notFound) }
        guard head.method == "GET" else { return .problem(.methodNotAllowed, extra: "allow: GET\r\n") }
        // An Upgrade field of HTTP/1.0 is to be ignored (RFC 9110, section 7.8; RFC 6455, section 4.1).
        guard !head.isHTTP10, head.has("websocket", in: "upgrade"), head.has("upgrade", in: "connection") else {
            return .problem(status: "426 Upgrade Required", .invalidRequest, extra: "upgrade: websocket\r\n")
        }
        guard head.single("sec-websocket-version") == "13" else {
            // RFC 6455, section 4.4.
            return .problem(status: "426 Upgrade Required", .invalidRequest, extra: "sec-websocket-version: 13\r\n")
        }
        // RFC 6455, section 4.2.1: the key is 16 bytes in base64.
        guard let key = head.single("sec-websocket-key"), Base64.is16Bytes(key), head.single("host") != nil
        else { return .problem(.invalidRequest) }
        if !allowedOrigins.isEmpty, let origin = head.single("origin"), !allowedOrigins.contains(origin) {
            return .problem(.forbidden)
        }
        return upgrade(head, key: key)
    }

    private func upgrade(_ head: RequestHead, key: String) -> Decision {
        let offered = head.tokens(of: "sec-websocket-protocol")
        // Without an offer the first one is spoken; an offer must have one that we speak (RFC 6455, section 4.2.2).
        let chosen =
            offered.isEmpty
            ? subprotocols.first : subprotocols.first { offered.contains(Substring($0.name)) }
        guard let chosen else { return .problem(.notSupported) }
        var response = ByteBuffer()
        response.writeStaticString("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n")
        response.writeString("sec-websocket-accept: \(Self.acceptKey(for: key))\r\n")
        if !offered.isEmpty { response.writeString("sec-websocket-protocol: \(chosen.name)\r\n") }
        response.writeStaticString("\r\n")
        return .upgrade(response: response, frontend: frontend(speaking: chosen), hello: hello(in: head))
    }

    private func frontend<Subprotocol: WebSocketSubprotocol>(speaking type: Subprotocol.Type) -> any Frontend {
        WebSocketFrontend(limits: limits, subprotocol: type.init())
    }

    /// The token may come with the request: in `Authorization` or, for browsers that cannot set it, in `?token=`.
    private func hello(in head: RequestHead) -> SessionEvent? {
        let authorization = head.single("authorization")
        let bearer = authorization.flatMap { $0.lowercased().hasPrefix("bearer ") ? String($0.dropFirst(7)) : nil }
        guard let token = bearer ?? head.queryParameter("token"), !token.isEmpty else { return nil }
        let takesInbox = head.queryParameter("inbox") != "false"
        guard let device = head.queryParameter("device") else {
            return .hello(token: token, device: nil, takesInbox: takesInbox)
        }
        do throws(WindfireError) {
            return .hello(token: token, device: try DeviceID(device), takesInbox: takesInbox)
        } catch {
            return .invalid(error, ref: nil)
        }
    }

    /// RFC 6455, section 4.2.2, step 5.4. SHA-1 is what the RFC demands; nothing rests on it.
    static func acceptKey(for key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Base64.encode(digest)
    }
}

extension HTTPOpening.Decision {
    /// A problem answer (RFC 9457) that ends the connection.
    static func problem(status: String? = nil, _ code: FailureCode, extra: String = "") -> Self {
        var body = JSONWriter(capacity: 128)
        body.beginObject()
        body.key("type")
        body.string("about:blank")
        body.key("title")
        body.string(code.title)
        body.key("status")
        body.integer(Int(status?.prefix(3) ?? "") ?? code.status)
        body.key("code")
        body.string(code.name)
        body.endObject()
        var response = ByteBuffer()
        response.writeString("HTTP/1.1 \(status ?? "\(code.status) \(code.name)")\r\n")
        response.writeStaticString("content-type: application/problem+json\r\nconnection: close\r\n")
        response.writeString("\(extra)content-length: \(body.bytes.count)\r\n\r\n")
        response.writeBytes(body.bytes)
        return .respond(response, code == .overloaded ? .overloaded : .protocolViolation)
    }
}

/// Base64 of a few bytes (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// 22 characters of the alphabet stand for 132 bits, of which the last 4 are padding, and `==` follows.
    static func is16Bytes(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.count == 24 && bytes.prefix(22).allSatisfy(alphabet.contains) && text.hasSuffix("==")
    }

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var output: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            if count % 3 == 0 {
                for shift in [18, 12, 6, 0] { output.append(alphabet[Int(group >> UInt32(shift) & 63)]) }
                group = 0
            }
        }
        let rest = count % 3
        if rest > 0 {
            group <<= UInt32(8 * (3 - rest))
            for place in 0...rest { output.append(alphabet[Int(group >> UInt32(18 - 6 * place) & 63)]) }
            output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - rest))
        }
        return String(decoding: output, as: UTF8.self)
    }
}
