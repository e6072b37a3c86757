import Common
import NIOCore
import PushCore

/// Waits for the PROXY header of a trusted peer's connection, hands its address to the entrance, and takes itself out.
/// Stands before TLS, and only there where such a header has to come: other connections never have this handler.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let entrance: Entrance
    private let spoken: SpokenProtocol?
    private let acceptedAt: NIODeadline
    private let deadline: NIODeadline
    /// Bytes of an incomplete header.
    private var rest: ByteBuffer?
    private var timer: Scheduled<Void>?
    private var isDecided = false

    /// - Parameter deadline: the header must have come by then.
    init(entrance: Entrance, speaking spoken: SpokenProtocol?, acceptedAt: NIODeadline, deadline: NIODeadline) {
        self.entrance = entrance
        self.spoken = spoken
        self.acceptedAt = acceptedAt
        self.deadline = deadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            refuse(context, .authenticationTimeout)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else { return }
        var bytes = unwrapInboundIn(data)
        if var rest {
            self.rest = nil
            rest.writeBuffer(&bytes)
            bytes = rest
        }
        do throws(WireError) {
            guard let header = try ProxyHeader.take(from: &bytes) else {
                rest = bytes
                return
            }
            pass(header, bytes, context)
        } catch {
            refuse(context, error.reason)
        }
    }

    /// What follows the header is the connection as the device made it.
    private func pass(_ header: ProxyHeader, _ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        isDecided = true
        do {
            try entrance.admit(
                context.channel, speaking: spoken, from: header.source, acceptedAt: acceptedAt)
        } catch {
            return context.close(promise: nil)
        }
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        _ = context.pipeline.syncOperations.removeHandler(self)
    }

    /// No word to the other side: in front of TLS, none would be understood.
    private func refuse(_ context: ChannelHandlerContext, _ reason: CloseReason) {
        guard !isDecided else { return }
        isDecided = true
        entrance.refuseHeader(of: context.channel, for: reason)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDecided {
            isDecided = true
            entrance.endedBeforeHeader(context.channel)
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
