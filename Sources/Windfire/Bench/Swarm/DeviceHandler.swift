import Foundation
import NIOCore

/// One device of the bench: upgrade, hello, then counting. The only handler of its channel; nothing is allocated for a
/// message, and an idle connection holds no buffer.
///
/// The accept key of the upgrade is not verified: this measures a server, it does not test one.
final class DeviceHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case upgrading, greeting, open, ended
    }

    /// Why a login failed.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private let device: Int
    private let acknowledges: Bool
    private let opening: ByteBuffer
    private let hello: String
    private let tally: SwarmTally
    private let welcomed: EventLoopPromise<Void>
    private var phase = Phase.upgrading
    /// The beginning of a frame whose end has not come.
    private var partial: ByteBuffer?
    private var closeNumber = 1006

    /// - Parameter acknowledges: each message at once, as stored ones want it.
    init(
        device: Int, acknowledges: Bool, opening: ByteBuffer, hello: String, tally: SwarmTally,
        welcomed: EventLoopPromise<Void>
    ) {
        self.device = device
        self.acknowledges = acknowledges
        self.opening = opening
        self.hello = hello
        self.tally = tally
        self.welcomed = welcomed
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(opening), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if var earlier = partial {
            partial = nil
            earlier.writeBuffer(&buffer)
            buffer = earlier
        }
        if phase == .upgrading, !readAnswer(&buffer, context) {
            partial = buffer
            return
        }
        let now = NIODeadline.now().uptimeNanoseconds
        while phase != .ended, buffer.readableBytes > 0 {
            switch ServerFrameScanner.next(&buffer) {
            case .frame(let opcode, let count):
                handle(opcode, buffer.readSlice(length: count) ?? ByteBuffer(), now: now, context)
            case .needsMore:
                buffer.discardReadBytes()
                partial = buffer
                return
            case .bad: fail("the server's bytes are no WebSocket frame", context)
            }
        }
    }

    /// - Returns: false while the head of the answer is not all there.
    private func readAnswer(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        let view = buffer.readableBytesView
        guard let end = view.firstRange(of: "\r\n\r\n".utf8) else { return false }
        let line = String(decoding: view.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        buffer.moveReaderIndex(to: end.upperBound)
        guard line.hasPrefix("HTTP/1.1 101") else {
            fail(line, context)
            return true
        }
        phase = .greeting
        send(opcode: 0x1, Array(hello.utf8), context)
        return true
    }

    private func handle(_ opcode: UInt8, _ payload: ByteBuffer, now: UInt64, _ context: ChannelHandlerContext) {
        switch opcode {
        case 0x1 where phase == .open:
            payload.withUnsafeReadableBytes { tally.received(BenchPayload.stamp(in: $0), device: device, now: now) }
            if acknowledges, let id = messageID(in: payload.readableBytesView) {
                send(opcode: 0x1, Array(#"{"op":"ack","id":"\#(id)"}"#.utf8), context)
            }
        case 0x1:
            let text = String(buffer: payload)
            guard text.contains(#""op":"welcome""#) else { return fail(text, context) }
            phase = .open
            welcomed.succeed()
        case 0x8:
            closeNumber = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map(Int.init) ?? 1005
            context.close(promise: nil)
        case 0x9: send(opcode: 0xA, Array(buffer: payload), context)
        default: break
        }
    }

    /// The server writes `op` and `id` first.
    private func messageID(in text: ByteBufferView) -> String? {
        let head = #"{"op":"message","id":""#.utf8
        guard text.starts(with: head) else { return nil }
        return String(decoding: text.dropFirst(head.count).prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if phase == .open { tally.ended(number: closeNumber) }
        if phase == .upgrading || phase == .greeting { welcomed.fail(Refusal(description: "closed \(closeNumber)")) }
        phase = .ended
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func fail(_ why: String, _ context: ChannelHandlerContext) {
        if phase == .open { tally.ended(number: closeNumber) } else { welcomed.fail(Refusal(description: why)) }
        phase = .ended
        context.close(promise: nil)
    }

    /// Masked with zeros, which RFC 6455 asks a client not to do and no server can mind: the bench has no proxies to
    /// protect, and saves the work.
    private func send(opcode: UInt8, _ payload: [UInt8], _ context: ChannelHandlerContext) {
        var frame = context.channel.allocator.buffer(capacity: payload.count + 14)
        frame.writeInteger(0x80 | opcode)
        if payload.count < 126 {
            frame.writeInteger(0x80 | UInt8(payload.count))
        } else {
            frame.writeInteger(0x80 | UInt8(126))
            frame.writeInteger(UInt16(clamping: payload.count))
        }
        frame.writeInteger(UInt32(0))
        frame.writeBytes(payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
