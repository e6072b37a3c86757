import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// A real HTTP server that takes webhooks: keeps every call, and answers as the test says.
package final class WebhookReceiver: Sendable {
    package struct Call: Sendable {
        package let path: String
        package let headers: HTTPHeaders
        package let body: [UInt8]
        package let at: ContinuousClock.Instant
        /// What it was answered, or is to be when it is released.
        package internal(set) var status = 0

        package func header(_ name: String) -> String? { headers.first(name: name) }

        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The events of the body, each as an object.
        package var events: [[String: any Sendable]] { objects("events") }

        package var lost: Int { (object["lost"] as? Int) ?? 0 }

        private var object: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
        }

        private func objects(_ key: String) -> [[String: any Sendable]] {
            ((object[key] as? [[String: Any]]) ?? []).map { object in
                object.compactMapValues { value -> (any Sendable)? in
                    switch value {
                    case let text as String: text
                    case let number as NSNumber: number.int64Value
                    case is NSNull: nil
                    default: String(describing: value)
                    }
                }
            }
        }
    }

    package struct Reply: Sendable {
        package var status = 200
        package var headers: [(String, String)] = []
        package var bodyBytes = 0
        /// The answer waits until `release`.
        package var isHeld = false

        package init(_ status: Int = 200, headers: [(String, String)] = [], bodyBytes: Int = 0, isHeld: Bool = false) {
            self.status = status
            self.headers = headers
            self.bodyBytes = bodyBytes
            self.isHeld = isHeld
        }
    }

    private struct State {
        var calls: [Call] = []
        var replies: [Reply]
        var usual: Reply
        var held: [@Sendable () -> Void] = []
    }

    private let state: NIOLockedValueBox<State>
    private let listening = NIOLockedValueBox<(any Channel)?>(nil)
    private let connections = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

    /// - Parameters:
    ///   - replies: to the first calls, in order.
    ///   - usual: to all others.
    package init(_ replies: [Reply] = [], then usual: Reply = Reply()) {
        state = NIOLockedValueBox(State(replies: replies, usual: usual))
    }

    /// - Parameter port: zero for any; who is to come back needs one of its own.
    package func start(host: String = "127.0.0.1", port: Int = 0) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [connections] channel in
                let name = ObjectIdentifier(channel)
                connections.withLockedValue { $0[name] = channel }
                channel.closeFuture.whenComplete { _ in connections.withLockedValue { $0[name] = nil } }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(receiver: self))
                }
            }
            .bind(host: host, port: port).get()
        listening.withLockedValue { $0 = channel }
    }

    package var port: Int { listening.withLockedValue { $0?.localAddress?.port } ?? 0 }
    package var url: String { "http://127.0.0.1:\(port)/hook" }
    package var calls: [Call] { state.withLockedValue { $0.calls } }
    package var events: [[String: any Sendable]] { calls.flatMap(\.events) }

    /// Answers every call that is held.
    package func release() {
        for answer in state.withLockedValue({ state in
            defer { state.held = [] }
            return state.held
        }) { answer() }
    }

    /// To all calls from now on, those scripted for the beginning aside.
    package func answer(_ reply: Reply) { state.withLockedValue { $0.usual = reply } }

    package func stop() async {
        release()
        await vanish()
    }

    /// Nobody listens any more, and every connection is cut. `start` with the same port brings it back.
    package func vanish() async {
        try? await listening.withLockedValue { $0 }?.close()
        for connection in connections.withLockedValue({ Array($0.values) }) { try? await connection.close() }
    }

    /// Starts it, runs `body`, and ends it whatever happens.
    package func serving(_ body: (WebhookReceiver) async throws -> Void) async throws {
        try await start()
        do {
            try await body(self)
        } catch {
            await stop()
            throw error
        }
        await stop()
    }

    fileprivate func received(_ call: Call, answer: @escaping @Sendable (Reply) -> Void) {
        let reply = state.withLockedValue { state in
            let reply = state.replies.isEmpty ? state.usual : state.replies.removeFirst()
            var call = call
            call.status = reply.status
            state.calls.append(call)
            if reply.isHeld { state.held.append { answer(reply) } }
            return reply
        }
        if !reply.isHeld { answer(reply) }
    }
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let receiver: WebhookReceiver
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(receiver: WebhookReceiver) { self.receiver = receiver }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            let channel = context.channel
            let call = WebhookReceiver.Call(
                path: head.uri, headers: head.headers, body: Array(body.readableBytesView), at: .now)
            receiver.received(call) { reply in channel.eventLoop.execute { Self.write(reply, to: channel) } }
        }
    }

    private static func write(_ reply: WebhookReceiver.Reply, to channel: any Channel) {
        var headers = HTTPHeaders(reply.headers)
        headers.add(name: "content-length", value: "\(reply.bodyBytes)")
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status), headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        if reply.bodyBytes > 0 {
            let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: reply.bodyBytes)
            channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        }
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}
