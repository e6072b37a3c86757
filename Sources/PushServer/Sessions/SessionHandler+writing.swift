// The way out of a connection: everything that is written to it goes through here, so that this is the place that knows
// what has not left yet.

import NIOCore

extension SessionHandler {
    /// What is known of bytes on their way out. Only this file changes it; every change is made before the channel is
    /// called, since the channel may call back.
    struct WayOut {
        /// Set where bytes may go around the channel: no TLS, and past the opening.
        var socket: DirectSocket?
        /// Written to the channel since the last flush.
        var needsFlush = false
        /// The channel may hold bytes back from the kernel: nothing may overtake them.
        var channelMayHold = false
    }

    func openDirectWay() { wayOut.socket = isPlain ? context.flatMap(DirectSocket.init) : nil }
    func closeDirectWay() { wayOut.socket = nil }

    /// What the channel holds back from the kernel.
    var bufferedBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Leaves at the end of the loop's turn, together with what else is written in it.
    func write(_ bytes: ByteBuffer) {
        guard let context, bytes.readableBytes > 0 else { return }
        wayOut.channelMayHold = true
        if !wayOut.needsFlush {
            wayOut.needsFlush = true
            shard.flushLater(self)
        }
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Lets go what was written, if it has not gone already.
    func flush() {
        guard wayOut.needsFlush else { return }
        wayOut.needsFlush = false
        context?.flush()
    }

    /// Straight to the kernel where that is possible; what it does not take waits in the channel.
    func writeNow(_ bytes: ByteBuffer) {
        guard let socket = wayOut.socket, !holdsBack else { return writeThroughChannel(bytes) }
        let sent = socket.send(bytes)
        guard sent < bytes.readableBytes else { return }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: sent)
        writeThroughChannel(rest)
    }

    private func writeThroughChannel(_ bytes: ByteBuffer) {
        wayOut.channelMayHold = true
        wayOut.needsFlush = false
        context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// The channel is asked only after something was written through it: its objects are cold.
    private var holdsBack: Bool {
        guard wayOut.channelMayHold else { return false }
        wayOut.channelMayHold = wayOut.needsFlush || bufferedBytes > 0
        return wayOut.channelMayHold
    }

    func setReading(_ isReading: Bool) {
        // Fails only on a closed channel, which reads nothing anyway.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isReading)
        if isReading { context?.read() }
    }
}
