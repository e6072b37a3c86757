import Foundation
import NIOCore

/// The wire of a `SwarmDevice`: the opening request, then frames. Masked with zeros, which RFC 6455 calls a mask like
/// any other to a server.
final class SwarmHandler: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    struct Goodbye: Sendable {}

    private enum Opcode {
        static let text: UInt8 = 0x1
        static let close: UInt8 = 0x8
        static let ping: UInt8 = 0x9
        static let pong: UInt8 = 0xA
    }

    private let host: String
    private let path: String
    private let token: String
    private let note: SwarmNote
    private let welcomed: EventLoopPromise<String>
    private var isUpgraded = false
    private var hasSaidGoodbye = false
    private var waiting = ByteBuffer()

    init(host: String, path: String, token: String, note: SwarmNote, welcomed: EventLoopPromise<String>) {
        self.host = host
        self.path = path
        self.token = token
        self.note = note
        self.welcomed = welcomed
    }

    func channelActive(context: ChannelHandlerContext) {
        let key = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        var request = context.channel.allocator.buffer(capacity: 256)
        request.writeString(
            "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Protocol: windfire.v1\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        waiting.writeBuffer(&bytes)
        if !isUpgraded {
            guard let end = waiting.readableBytesView.firstRange(of: Data("\r\n\r\n".utf8)) else { return }
            let head = waiting.readString(length: end.upperBound - waiting.readerIndex) ?? ""
            guard head.hasPrefix("HTTP/1.1 101 ") else {
                note.heard.withLock { $0.lastWords = String(head.prefix { $0 != "\r\n" }) }
                context.close(promise: nil)
                return
            }
            isUpgraded = true
            send(#"{"op":"hello","token":"\#(token)"}"#, context)
        }
        while let (opcode, payload) = nextFrame() { received(opcode, payload, context) }
        waiting.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let heard = note.heard.withLock { heard in
            if heard.closed == nil { heard.closed = 1006 }
            if heard.closedAt == nil { heard.closedAt = .now }
            return heard
        }
        welcomed.fail(Refused(heard: heard))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is Goodbye else { return context.triggerUserOutboundEvent(event, promise: promise) }
        sendClose(1000, context)
        promise?.succeed()
    }

    // MARK: Frames

    /// RFC 6455, section 5.2. A server's frames are unmasked, and ours are never fragmented.
    private func nextFrame() -> (opcode: UInt8, payload: ByteBuffer)? {
        var reader = waiting
        guard let first: UInt8 = reader.readInteger(), let second: UInt8 = reader.readInteger() else { return nil }
        let length: Int
        switch second {
        case 126:
            guard let value: UInt16 = reader.readInteger() else { return nil }
            length = Int(value)
        case 127:
            guard let value: UInt64 = reader.readInteger() else { return nil }
            length = Int(value)
        default: length = Int(second)
        }
        guard let payload = reader.readSlice(length: length) else { return nil }
        waiting = reader
        return (first & 0x0F, payload)
    }

    private func received(_ opcode: UInt8, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        switch opcode {
        case Opcode.text: received(Data(payload.readableBytesView))
        case Opcode.ping: send(Opcode.pong, payload, context)
        case Opcode.close:
            let number: UInt16 = payload.getInteger(at: payload.readerIndex) ?? 1005
            note.heard.withLock { heard in
                heard.closed = number
                heard.closedAt = .now
            }
            sendClose(number, context)
            context.close(promise: nil)
        default: break
        }
    }

    private struct Frame: Decodable {
        let op: String
        let id: String?
        let node: String?
        let code: String?
    }

    private func received(_ text: Data) {
        guard let frame = try? JSONDecoder().decode(Frame.self, from: text) else { return }
        switch frame.op {
        case "welcome": welcomed.succeed(frame.node ?? "")
        case "message": note.heard.withLock { $0.messages[frame.id ?? "", default: 0] += 1 }
        case "error": note.heard.withLock { $0.lastWords = frame.code }
        default: break
        }
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        send(Opcode.text, ByteBuffer(string: text), context)
    }

    private func sendClose(_ number: UInt16, _ context: ChannelHandlerContext) {
        guard !hasSaidGoodbye else { return }
        hasSaidGoodbye = true
        // 1005 and 1006 are never on the wire (RFC 6455, section 7.4.1).
        send(Opcode.close, ByteBuffer(integer: number == 1005 ? 1000 : number), context)
    }

    private func send(_ opcode: UInt8, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        let length = payload.readableBytes
        var frame = context.channel.allocator.buffer(capacity: length + 14)
        frame.writeInteger(0x80 | opcode)
        switch length {
        case ..<126: frame.writeInteger(0x80 | UInt8(length))
        case ...0xFFFF:
            frame.writeInteger(0x80 | UInt8(126))
            frame.writeInteger(UInt16(length))
        default:
            frame.writeInteger(0x80 | UInt8(127))
            frame.writeInteger(UInt64(length))
        }
        frame.writeInteger(UInt32(0))
        var payload = payload
        frame.writeBuffer(&payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
