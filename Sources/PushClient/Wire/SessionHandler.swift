import NIOCore
import NIOWebSocket

/// The WebSocket side of a connection after the upgrade: answers pings and closes (RFC 6455, sections 5.5.1 and 5.5.2),
/// and passes whole text messages on. Fragments were put together by the aggregator before it.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let listener: WireListener
    private var end = ConnectionEnd.silent

    init(listener: @escaping WireListener) { self.listener = listener }

    func handlerAdded(context: ChannelHandlerContext) { listener(.opened) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text: listener(.text(Array(frame.unmaskedData.readableBytesView)))
        case .ping:
            let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
            listener(.heard)
        case .pong: listener(.heard)
        case .connectionClose:
            var body = frame.unmaskedData
            end.number = body.readInteger(as: UInt16.self) ?? 1005
            let echo = body.readableBytes == frame.unmaskedData.readableBytes ? ByteBuffer() : frame.unmaskedData
            let close = WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: echo)
            context.writeAndFlush(wrapOutboundOut(close)).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        listener(.ended(end))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
