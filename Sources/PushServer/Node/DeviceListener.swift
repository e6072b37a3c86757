import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import PushCore

/// The device port: accepts, applies admission, and gives each connection to a shard, in turn.
///
/// Each shard accepts nothing itself: one loop accepts for all, since a session's loop must be known before its first
/// byte and accepting costs little beside what follows.
final class DeviceListener: Sendable {
    private let channel: any Channel
    private let open: NIOLockedValueBox<Int>

    var localAddress: SocketAddress? { channel.localAddress }

    /// Binds and starts accepting.
    /// - Parameter group: the loops of the hub's shards, and no others.
    /// - Throws: `address_in_use`, or `configuration_invalid` when the address cannot be bound at all.
    init(
        host: String, port: Int, hub: Hub, admission: Admission, tls: NIOSSLContext?,
        group: MultiThreadedEventLoopGroup,
        logger: Logger
    ) async throws(WindfireError) {
        let open = NIOLockedValueBox(0)
        let gate = NIOLockedValueBox(admission)
        let refused = NIOLockedValueBox(0)
        let shards = Dictionary(uniqueKeysWithValues: hub.shards.map { (ObjectIdentifier($0.loop), $0) })
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
                channel.eventLoop.makeCompletedFuture {
                    let now = NIODeadline.now()
                    let address = channel.remoteAddress.flatMap(\.pacedAddress)
                    let count = open.withLockedValue { count in
                        count += 1
                        return count
                    }
                    let verdict = gate.withLockedValue { $0.decide(address: address, open: count - 1, now: now) }
                    channel.closeFuture.whenComplete { _ in open.withLockedValue { $0 -= 1 } }
                    if verdict != .admit { refused.withLockedValue { $0 += 1 } }
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    guard let shard = shards[ObjectIdentifier(channel.eventLoop)] else {
                        preconditionFailure("a connection lives on the loop of a shard")
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        SessionHandler(shard: shard, refusal: Refusal(verdict), isPlain: tls == nil, now: now))
                }
            }
        do {
            channel = try await bootstrap.bind(host: host, port: port).get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw WindfireError(.addressInUse, "\(host):\(port) is in use", cause: error)
        } catch {
            throw WindfireError(.configurationInvalid, "\(host):\(port) cannot be listened on", cause: error)
        }
        self.open = open
        self.refused = refused
    }

    private let refused: NIOLockedValueBox<Int>

    /// Connections open now, with those that never said a word.
    var openConnections: Int { open.withLockedValue { $0 } }
    /// Connections refused by admission since the start.
    var refusedConnections: Int { refused.withLockedValue { $0 } }

    /// Accepts nothing more. Open connections are not touched.
    func stopAccepting() async { try? await channel.close() }
}

extension Refusal {
    fileprivate init?(_ verdict: Admission.Verdict) {
        guard case .refuse(let wait) = verdict else { return nil }
        let seconds = max(1, (wait.nanoseconds + 999_999_999) / 1_000_000_000)
        guard
            case .respond(let response, _) = HTTPOpening.Decision.problem(
                .overloaded, extra: "retry-after: \(seconds)\r\n")
        else { return nil }
        self.init(response: response)
    }
}

extension SocketAddress {
    /// The address that has a pace: nil for loopback and for sockets without one.
    fileprivate var pacedAddress: String? {
        guard let ip = ipAddress, ip != "::1", !ip.hasPrefix("127."), !ip.hasPrefix("::ffff:127.") else { return nil }
        return ip
    }
}
