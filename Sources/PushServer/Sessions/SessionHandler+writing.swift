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
        /// The shard sends runs of messages to the socket without asking this session.
        var isListed = false
    }

    func openDirectWay() { wayOut.socket = isPlain ? context.flatMap(DirectSocket.init) : nil }
    func closeDirectWay() {
        unlist()
        wayOut.socket = nil
    }

    /// From now on runs may go straight to the socket, if this session would do no more than that with them.
    func list() {
        guard !wayOut.isListed, let slot, let encoding, let socket = wayOut.socket, !wayOut.channelMayHold,
            joins == nil, machine.takesDirectly, traits.liveness == .answered
        else { return }
        wayOut.isListed = true
        shard.ways.open(slot, socket, encoding)
    }

    /// Runs go through this session again.
    func unlist() {
        guard wayOut.isListed else { return }
        wayOut.isListed = false
        if let slot { shard.ways.close(slot) }
    }

    /// What the channel holds back from the kernel.
    var bufferedBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Leaves at the end of the loop's turn, together with what else is written in it.
    func write(_ bytes: ByteBuffer) {
        guard let context, bytes.readableBytes > 0 else { return }
        unlist()
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
        writeRest(of: bytes, after: socket.send(bytes))
    }

    /// The kernel took so much of the bytes.
    func writeRest(of bytes: ByteBuffer, after sent: Int) {
        guard sent < bytes.readableBytes else { return }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: sent)
        writeThroughChannel(rest)
    }

    private func writeThroughChannel(_ bytes: ByteBuffer) {
        unlist()
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
