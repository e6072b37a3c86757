import Glibc
import NIOCore
import NIOPosix

/// Calls a shard to its next slice, behind everything else that its loop has to do.
///
/// A task of the loop would not: NIO goes on with tasks until none is due, and looks at its sockets only then, so that
/// slices could follow each other while reads and pings wait for the whole fan-out. A task with a delay is due at once
/// when the thread lost its processor in between, which is when many want it. So the bell hangs on a pipe (pipe(7)):
/// the loop hears it when it asks the kernel what is ready, together with all sockets that became ready before it.
///
/// A stroke costs one write(2) and one read(2), a few microseconds for a slice of milliseconds, and nobody sleeps.
final class SliceBell: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let rung: () -> Void
    private var context: ChannelHandlerContext?
    private let stroke = ByteBuffer(integer: UInt8(0))

    private init(_ rung: @escaping () -> Void) { self.rung = rung }

    /// Called on the loop, and rings there.
    /// - Returns: nil when the process has no descriptors left for a pipe.
    static func hang(on loop: any EventLoop, _ rung: @escaping () -> Void) -> SliceBell? {
        loop.preconditionInEventLoop()
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        let bell = SliceBell(rung)
        let bound = NIOLoopBound(bell, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .takingOwnershipOfDescriptors(input: ends[0], output: ends[1])
            // Fails only with the loop: then there is nothing to ring for.
            .whenFailure { _ in }
        return bell
    }

    /// - Returns: false when the bell does not hang (yet).
    func ring() -> Bool {
        guard let context, context.channel.isActive else { return false }
        context.writeAndFlush(wrapOutboundOut(stroke), promise: nil)
        return true
    }

    func takeDown() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { rung() }
}
