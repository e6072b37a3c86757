import Common
import NIOCore
import NIOPosix
import NIOSSL

/// One signed-in TCP (or TLS) connection to one Redis server. Commands of many callers share it, one after the other.
final class RedisConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<RedisChannelHandler>

    private init(channel: any Channel, handler: NIOLoopBound<RedisChannelHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// Dials, signs in, chooses the database.
    /// - Throws: `refused` when the server does not take the credentials, else why there is no connection.
    static func connect(
        to address: RedisAddress, configuration: RedisConfiguration, tls: NIOSSLContext?, on group: any EventLoopGroup
    ) async throws(RedisFailure) -> RedisConnection {
        let timeout = TimeAmount(configuration.connectTimeout)
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Replies to list look-ups are large; small buffers would cut them into many reads.
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 << 10)
            )

        let connection: RedisConnection
        do {
            connection =
                try await bootstrap.connect(host: address.host, port: address.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try attach(to: channel, address: address, configuration: configuration, tls: tls)
                    }
                }
        } catch {
            throw .unreachable(String(describing: error))
        }
        do throws(RedisFailure) {
            try await connection.signIn(configuration)
        } catch {
            await connection.close()
            throw error
        }
        return connection
    }

    /// Puts the handlers into a channel. On its event loop.
    static func attach(
        to channel: any Channel, address: RedisAddress, configuration: RedisConfiguration, tls: NIOSSLContext?
    ) throws -> RedisConnection {
        if let tls {
            // Server Name Indication carries names only (RFC 6066, section 3).
            let isAddress = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : address.host))
        }
        let handler = RedisChannelHandler(
            commandTimeout: TimeAmount(configuration.commandTimeout),
            repliesMissingMax: configuration.pendingCommandsMax)
        try channel.pipeline.syncOperations.addHandler(handler)
        return RedisConnection(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
    }

    /// AUTH and SELECT go out together; the PING after them tells whether the server wants a password that we do not
    /// have.
    func signIn(_ configuration: RedisConfiguration) async throws(RedisFailure) {
        var commands: [RedisCommand] = []
        if let password = configuration.password {
            commands.append(
                configuration.user.map { RedisCommand("AUTH", $0, password) } ?? RedisCommand("AUTH", password))
        }
        if configuration.database != 0 { commands.append(RedisCommand("SELECT", String(configuration.database))) }
        commands.append(RedisCommand("PING"))

        for reply in await execute(commands) {
            switch reply {
            case .failure(let failure): throw failure
            case .success(.error(let error)):
                switch error.kind {
                // Signed in; commands will be answered when the data is there.
                case .loading, .masterDown, .clusterDown: break
                case .notAuthorized: throw .refused(error.text)
                default: throw .unreachable(error.text)
                }
            case .success: break
            }
        }
    }

    /// Sends the commands together and waits for all replies; never longer than the command timeout. Cancelling the
    /// calling task changes nothing: what was written will be answered.
    func execute(_ commands: [RedisCommand]) async -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            channel.eventLoop.execute {
                self.handler.value.submit(
                    commands, RedisChannelHandler.Request(commandCount: commands.count, continuation: continuation))
            }
        }
    }

    func close() async {
        channel.eventLoop.execute { self.handler.value.close(.connectionLost("closed here")) }
        await waitUntilClosed()
    }

    func waitUntilClosed() async {
        // The close future only ever succeeds.
        _ = try? await channel.closeFuture.get()
    }
}
