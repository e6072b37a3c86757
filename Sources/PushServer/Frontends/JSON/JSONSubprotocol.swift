import Common
import NIOCore
import PushCore

/// `windfire.v1`: one JSON object per text message, as docs/protocols/websocket.md shows. For people and browsers.
struct JSONSubprotocol: WebSocketSubprotocol {
    static let name = "windfire.v1"

    let encodingKey = EncodingKey.json

    mutating func receive(_ message: ByteBuffer, isText: Bool) throws(WireError) -> SessionEvent {
        guard isText else { throw WireError(.unsupportedData, "windfire.v1 has no binary messages") }
        return JSONFrameReader.event(in: message)
    }

    func encode(_ command: SessionCommand, into text: inout ByteBuffer) {
        guard let frame = JSONFrameWriter.frame(for: command) else { return }
        text.writeBytes(frame)
    }
}
