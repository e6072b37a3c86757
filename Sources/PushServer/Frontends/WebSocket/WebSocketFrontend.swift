import Common
import NIOCore
import PushCore

/// What one WebSocket connection may send. A class, so that each connection holds eight bytes of it.
final class WebSocketLimits: Sendable {
    let messageBytesMax: Int
    let fragmentsMax: Int

    init(messageBytesMax: Int, fragmentsMax: Int) {
        self.messageBytesMax = messageBytesMax
        self.fragmentsMax = fragmentsMax
    }
}

/// WebSocket after its handshake (RFC 6455, sections 5 to 8), around a subprotocol. Idle it holds nothing but its
/// limits: a message under way lives in an object of its own. Together no more than the three words that an
/// `any Frontend` keeps without a box.
struct WebSocketFrontend<Subprotocol: WebSocketSubprotocol>: Frontend {
    private let limits: WebSocketLimits
    private var subprotocol: Subprotocol
    private var incoming: IncomingMessage?

    init(limits: WebSocketLimits, subprotocol: Subprotocol) {
        self.limits = limits
        self.subprotocol = subprotocol
    }

    var encodingKey: EncodingKey { subprotocol.encodingKey }

    // MARK: Reading

    mutating func receive(_ bytes: inout ByteBuffer, into events: inout [SessionEvent]) throws(WireError) {
        while bytes.readableBytes > 0 {
            if let message = incoming, message.isInsideFrame {
                message.takePayload(from: &bytes)
                try message.checkText()
                guard try finishFrame(of: message, into: &events) else { return }
                continue
            }
            let start = bytes
            guard let header = try WebSocketFrameHeader.take(from: &bytes) else { return }
            if header.opcode.isControl {
                guard var payload = bytes.readSlice(length: header.payloadLength) else {
                    bytes = start
                    return
                }
                payload.unmask(header.mask, phase: 0)
                let event = try Self.control(header.opcode, payload)
                events.append(event)
                if case .leaving = event { return bytes.clear() }
            } else {
                try beginFrame(header)
                // A frame without payload is complete at once.
                if header.payloadLength == 0, let message = incoming { _ = try finishFrame(of: message, into: &events) }
            }
        }
    }

    private mutating func beginFrame(_ header: WebSocketFrameHeader) throws(WireError) {
        switch (header.opcode, incoming) {
        case (.continuation, nil): throw WireError(.badProtocol, "a continuation continues nothing")
        case (.continuation, let message?):
            guard message.frameCount < limits.fragmentsMax else { throw WireError(.tooLarge, "too many fragments") }
            try message.begin(header, bytesMax: limits.messageBytesMax)
        case (_, .some): throw WireError(.badProtocol, "a message begins inside another")
        case (_, nil):
            let message = IncomingMessage(isText: header.opcode == .text)
            try message.begin(header, bytesMax: limits.messageBytesMax)
            incoming = message
        }
    }

    /// - Returns: false when the frame needs more bytes.
    private mutating func finishFrame(
        of message: IncomingMessage, into events: inout [SessionEvent]
    ) throws(WireError) -> Bool {
        guard !message.isInsideFrame else { return false }
        guard message.isFinal else { return true }
        guard message.isValidText else { throw WireError(.invalidText, "a text message ends inside a character") }
        incoming = nil
        events.append(try subprotocol.receive(message.payload, isText: message.isText))
        return true
    }

    private static func control(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) throws(WireError) -> SessionEvent {
        switch opcode {
        case .ping:
            var pong = ByteBuffer()
            pong.writeWebSocketHeader(.pong, payloadLength: payload.readableBytes)
            pong.writeImmutableBuffer(payload)
            return .reply(pong)
        case .close: return .leaving(reply: try closeReply(to: payload))
        default: return .heard
        }
    }

    /// The close frame that answers a close frame: the same code (RFC 6455, section 5.5.1).
    private static func closeReply(to payload: ByteBuffer) throws(WireError) -> ByteBuffer {
        var reply = ByteBuffer()
        if payload.readableBytes == 0 {
            reply.writeWebSocketHeader(.close, payloadLength: 0)
            return reply
        }
        guard let code: UInt16 = payload.getInteger(at: payload.readerIndex) else {
            throw WireError(.badProtocol, "a close frame has half a code")
        }
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw WireError(.badProtocol, "a close code must not be sent")
        }
        var validator = UTF8Validator()
        let isText = payload.withUnsafeReadableBytes { validator.accept(.init(rebasing: $0.dropFirst(2))) }
        guard isText, validator.isComplete else { throw WireError(.invalidText, "a close reason is not UTF-8") }
        reply.writeWebSocketHeader(.close, payloadLength: 2)
        reply.writeInteger(code)
        return reply
    }

    // MARK: Writing

    mutating func encode(_ command: SessionCommand, into bytes: inout ByteBuffer) {
        switch command {
        case .ping: bytes.writeWebSocketHeader(.ping, payloadLength: 0)
        case .close(let reason):
            writeText(of: command, into: &bytes)
            bytes.writeWebSocketHeader(.close, payloadLength: 2 + reason.name.utf8.count)
            bytes.writeInteger(reason.number)
            bytes.writeString(reason.name)
        default: writeText(of: command, into: &bytes)
        }
    }

    private func writeText(of command: SessionCommand, into bytes: inout ByteBuffer) {
        var text = ByteBuffer()
        subprotocol.encode(command, into: &text)
        guard text.readableBytes > 0 else { return }
        bytes.writeWebSocketHeader(.text, payloadLength: text.readableBytes)
        bytes.writeBuffer(&text)
    }
}
