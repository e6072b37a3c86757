import NIOCore
import NIOWebSocket

/// One open connection, to be used on its event loop only.
struct Wire {
    let channel: any Channel

    func send(_ frame: ClientFrame) {
        let data = channel.allocator.buffer(string: frame.text)
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: data), promise: nil)
    }

    /// Says goodbye and gives the server a second to say it back. Before the upgrade there is nobody to say it to: the
    /// pipeline still speaks HTTP.
    func leave() {
        guard isUpgraded else { return drop() }
        var data = channel.allocator.buffer(capacity: 2)
        data.writeInteger(UInt16(1000))
        let channel = channel
        channel.writeAndFlush(
            WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: data), promise: nil)
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private var isUpgraded: Bool {
        (try? channel.pipeline.syncOperations.context(handlerType: SessionHandler.self)) != nil
    }

    func drop() { channel.close(promise: nil) }

    /// Stops and resumes taking bytes from the socket: the server's own limits then do the rest.
    func setReading(_ isReading: Bool) {
        channel.setOption(.autoRead, value: isReading).whenFailure { _ in }
    }
}
