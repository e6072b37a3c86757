import NIOCore
import PushCore

/// What is spoken inside WebSocket messages. The framing around it is `WebSocketFrontend`'s.
protocol WebSocketSubprotocol: Sendable {
    /// As offered in `Sec-WebSocket-Protocol`.
    static var name: String { get }

    init()

    var encodingKey: EncodingKey { get }

    /// One whole message, valid UTF-8 if it is a text.
    mutating func receive(_ message: ByteBuffer, isText: Bool) throws(WireError) -> SessionEvent

    /// Appends the text of a command; nothing when the command has no text here.
    func encode(_ command: SessionCommand, into text: inout ByteBuffer)
}

/// Says back what it hears: `windfire bench ws-echo`, for conformance suites.
struct EchoSubprotocol: WebSocketSubprotocol {
    static let name = "echo"

    let encodingKey = EncodingKey.echo

    mutating func receive(_ message: ByteBuffer, isText: Bool) -> SessionEvent {
        var frame = ByteBuffer()
        frame.reserveCapacity(message.readableBytes + 10)
        frame.writeWebSocketHeader(isText ? .text : .binary, payloadLength: message.readableBytes)
        frame.writeImmutableBuffer(message)
        return .reply(frame)
    }

    func encode(_ command: SessionCommand, into text: inout ByteBuffer) {}
}
