import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Opens connections: TCP, TLS for `wss`, upgrade to WebSocket.
struct Dialer: Sendable {
    /// 256 KiB of payload and its envelope, or a batch of messages, with room to grow.
    static let messageBytesMax = 4 << 20
    static let fragmentsMax = 1_024

    let loop: any EventLoop
    let connectTimeout: Duration
    /// Nil when the trust roots could not be read, and then no `wss` address can be dialled.
    private let tls: NIOSSLContext?
    private let usesSystemRoots: Bool

    init(loop: any EventLoop, connectTimeout: Duration, trustRootsFile: String?) {
        self.loop = loop
        self.connectTimeout = connectTimeout
        tls = trustRootsFile.flatMap { Self.context(.file($0)) }
        usesSystemRoots = trustRootsFile == nil
    }

    /// Shared by all clients, and made when the first needs it: reading the system's roots takes tens of milliseconds.
    private static let system = context(.default)

    private static func context(_ roots: NIOSSLTrustRoots) -> NIOSSLContext? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = roots
        return try? NIOSSLContext(configuration: configuration)
    }

    /// - Returns: the channel once TCP stands; all else, also the failure to get there, is told to the listener.
    func dial(_ url: WebSocketURL, listener: @escaping WireListener) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [tls, usesSystemRoots] channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = url.isSecure && usesSystemRoots ? Self.system : tls
                    try Self.configure(channel, url: url, tls: tls, listener: listener)
                }
            }
            .connect(host: url.host, port: url.port)
    }

    private static func configure(
        _ channel: any Channel, url: WebSocketURL, tls: NIOSSLContext?, listener: @escaping WireListener
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if url.isSecure {
            guard let tls else { throw PushClientError(.unavailable, "the trust roots for TLS could not be read") }
            let isAddress = (try? SocketAddress(ipAddress: url.host, port: url.port)) != nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : url.host))
        }
        let handshake = HandshakeHandler(url: url, listener: listener)
        let bound = NIOLoopBound(handshake, eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: messageBytesMax) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                bound.value.upgraded()
                let pipeline = channel.pipeline.syncOperations
                _ = pipeline.removeHandler(bound.value)
                try pipeline.addHandler(
                    NIOWebSocketFrameAggregator(
                        minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: fragmentsMax,
                        maxAccumulatedFrameSize: messageBytesMax))
                try pipeline.addHandler(SessionHandler(listener: listener))
            }
        }
        try pipeline.addHTTPClientHandlers(
            leftOverBytesStrategy: .forwardBytes,
            withClientUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        try pipeline.addHandler(handshake)
    }
}
