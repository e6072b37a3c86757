import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

@testable import PushClient

/// A push server that does what the test says, frame by frame: connections come out of `connections`, their texts out
/// of `nextText`, and nothing is answered by itself but the upgrade.
final class FakeNode: Sendable {
    /// How upgrades are answered.
    enum Door: Sendable {
        case open
        case refuse(HTTPResponseStatus, retryAfter: String)
        /// Never answered: the box is told "asked", and "ended" when the connection is.
        case silent(Inbox<String>)
    }

    let id: String
    let node: PushClient.Node
    let connections: Inbox<FakeConnection>
    private let channel: any Channel

    private init(id: String, channel: any Channel, connections: Inbox<FakeConnection>) {
        self.id = id
        self.channel = channel
        self.connections = connections
        node = PushClient.Node(id: id, url: "ws://127.0.0.1:\(channel.localAddress?.port ?? 0)/v1/connect")
    }

    deinit { channel.close(promise: nil) }

    /// Listens on a free port.
    static func start(_ id: String = "n1", door: Door = .open) async throws -> FakeNode {
        let connections = Inbox<FakeConnection>()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in configure(channel, door: door, connections: connections) }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeNode(id: id, channel: channel, connections: connections)
    }

    func stop() async throws { try await channel.close() }

    func assignment(_ token: String = "t1", alternatives: [FakeNode] = []) -> PushClient.Assignment {
        PushClient.Assignment(
            token: token, expiresAt: 32_503_680_000, node: node, alternatives: alternatives.map(\.node),
            backoff: .init(base: .milliseconds(20), factor: 2, max: .milliseconds(200), jitter: 1))
    }

    private static func configure(
        _ channel: any Channel, door: Door, connections: Inbox<FakeConnection>
    ) -> EventLoopFuture<Void> {
        let refusing = NIOLoopBound(RefusingHandler(door: door), eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                guard case .open = door else { return channel.eventLoop.makeSucceededFuture(nil) }
                let offered = head.headers["Sec-WebSocket-Protocol"]
                return channel.eventLoop.makeSucceededFuture(["Sec-WebSocket-Protocol": offered.first ?? "none"])
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let connection = FakeConnection(
                        channel: channel, target: head.uri,
                        subprotocol: head.headers.first(name: "Sec-WebSocket-Protocol") ?? "")
                    let pipeline = channel.pipeline.syncOperations
                    _ = pipeline.removeHandler(refusing.value)
                    try pipeline.addHandler(FakeHandler(connection: connection))
                    connections.put(connection)
                }
            })
        return channel.pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in })
        ).flatMapThrowing {
            try channel.pipeline.syncOperations.addHandler(refusing.value)
        }
    }
}

/// One accepted connection.
final class FakeConnection: Sendable {
    let target: String
    let subprotocol: String
    let texts = Inbox<String>()
    /// Number of the client's close frame; 1006 when it ended without one.
    let closes = Inbox<UInt16>()
    private let channel: any Channel

    init(channel: any Channel, target: String, subprotocol: String) {
        self.channel = channel
        self.target = target
        self.subprotocol = subprotocol
    }

    func nextText() async -> String? { await texts.next() }

    func send(_ text: String) { write(.text, channel.allocator.buffer(string: text)) }

    func ping() { write(.ping, channel.allocator.buffer(string: "beat")) }

    func welcome(_ node: FakeNode, heartbeat: Double = 25) {
        send(
            #"{"op":"welcome","session":"s","node":"\#(node.id)","client":"c","device":"d","heartbeat_s":\#(heartbeat)}"#
        )
    }

    func message(_ id: String, _ data: String = "1", acknowledge: Bool = false) {
        send(#"{"op":"message","id":"\#(id)","data":\#(data),"ts":1732,"ack":\#(acknowledge)}"#)
    }

    func close(_ number: UInt16) {
        var buffer = channel.allocator.buffer(capacity: 2)
        buffer.writeInteger(number)
        write(.connectionClose, buffer)
    }

    /// As a killed process does: no close frame.
    func cut() { channel.close(promise: nil) }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: opcode, data: data), promise: nil)
    }
}

private final class FakeHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    private let connection: FakeConnection
    private var number: UInt16 = 1006

    init(connection: FakeConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        var body = frame.unmaskedData
        switch frame.opcode {
        case .text: connection.texts.put(String(buffer: body))
        case .pong: connection.texts.put("pong:" + String(buffer: body))
        case .connectionClose:
            number = body.readInteger() ?? 1005
            context.close(promise: nil)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.texts.finish()
        connection.closes.put(number)
    }
}

/// Answers what was not upgraded.
private final class RefusingHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let door: FakeNode.Door

    init(door: FakeNode.Door) { self.door = door }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        if case .silent(let told) = door { told.put("asked") }
        guard case .refuse(let status, let retryAfter) = door else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: status, headers: ["Content-Length": "0", "Retry-After": retryAfter])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .silent(let told) = door { told.put("ended") }
        context.fireChannelInactive()
    }
}

/// What came in, to be awaited one by one. Several may wait.
final class Inbox<Element: Sendable>: Sendable {
    private struct State {
        var items: [Element] = []
        var waiting: [CheckedContinuation<Element?, Never>] = []
        var isFinished = false
    }

    private let state = Mutex(State())

    func put(_ element: Element) {
        let waiter = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.items.append(element)
            return nil
        }
        waiter?.resume(returning: element)
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume(returning: nil) }
    }

    /// Nil when finished and empty. Tests have a time limit, so an element that never comes fails them.
    func next() async -> Element? {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state -> Element?? in
                if !state.items.isEmpty { return .some(state.items.removeFirst()) }
                if state.isFinished { return .some(nil) }
                state.waiting.append(continuation)
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    var count: Int { state.withLock { $0.items.count } }
}
