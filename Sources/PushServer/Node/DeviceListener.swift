import Common
import NIOCore
import NIOPosix

/// The device port: accepts, and gives each connection to its loop, in turn, where the entrance receives it.
///
/// Each shard accepts nothing itself: one loop accepts for all, since a session's loop must be known before its first
/// byte and accepting costs little beside what follows.
final class DeviceListener: Sendable {
    private let channel: any Channel

    var localAddress: SocketAddress? { channel.localAddress }

    /// Binds and starts accepting.
    /// - Parameters:
    ///   - spoken: the one protocol of this port; nil where the first bytes decide.
    ///   - group: the loops of the hub's shards, and no others.
    /// - Throws: `address_in_use`, or `configuration_invalid` when the address cannot be bound at all.
    init(
        on address: HostPort, speaking spoken: SpokenProtocol? = nil, entrance: Entrance,
        group: MultiThreadedEventLoopGroup
    ) async throws(WindfireError) {
        let bootstrap = ServerBootstrap(group: group)
            // As many as the kernel keeps in its queue (listen(2), net.core.somaxconn): a reconnect storm waits there.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Out of descriptors: wait a second instead of trying in a hot loop.
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: ReceiveBuffers())
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 16_384, high: 65_536))
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try entrance.receive(channel, speaking: spoken) }
            }
        do {
            channel = try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw WindfireError(.addressInUse, "\(address) is in use", cause: error)
        } catch {
            throw WindfireError(.configurationInvalid, "\(address) cannot be listened on", cause: error)
        }
    }

    /// Accepts nothing more. Open connections are not touched.
    func stopAccepting() async { try? await channel.close() }
}
