import NIOCore
import NIOHTTP1

/// Asks for the upgrade, and hears the answer when it is no: then nobody else does. Taken out once upgraded.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    static let subprotocol = "windfire.v1"

    private let url: WebSocketURL
    private var end = ConnectionEnd.silent
    private let listener: WireListener
    private var isUpgraded = false

    init(url: WebSocketURL, listener: @escaping WireListener) {
        self.url = url
        self.listener = listener
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Host": url.authority, "Sec-WebSocket-Protocol": Self.subprotocol, "Content-Length": "0",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func upgraded() { isUpgraded = true }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        end.httpStatus = Int(head.status.code)
        // Retry-After in seconds (RFC 9110, section 10.2.3); the date form is not worth its parser here.
        if let seconds = head.headers.first(name: "Retry-After").flatMap(Int64.init), seconds >= 0 {
            end.retryAfter = .seconds(min(seconds, 86_400))
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isUpgraded { listener(.ended(end)) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end.failure = end.failure ?? PushClientError(untrusted: error)
        context.close(promise: nil)
    }
}
