import Common
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One listener of a role's HTTP face. Runs until cancelled or shut down; a shutdown lets requests under way finish.
package struct HTTPServer: Service {
    package let listen: HostPort
    /// Requests of a router test take the same way as those of a socket.
    package let application: Application<RouterResponder<HTTPContext>>

    private let bound: Settled<HostPort>

    /// - Parameters:
    ///   - router: from `HTTPFace.router`, with all routes added.
    ///   - idleTimeout: after which a kept connection is closed; also what a dripping client gets.
    package init(
        router: Router<HTTPContext>, listen: HostPort, logger: Logger, idleTimeout: Duration = .seconds(60),
        eventLoopGroup: EventLoopGroupProvider = .singleton
    ) {
        self.listen = listen
        let bound = Settled<HostPort>()
        self.bound = bound
        router.refuseOtherMethods()
        // The framework reports its own life at info; ours is told by the role.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        application = Application(
            responder: router.buildResponder(),
            server: .http1(
                configuration: .init(
                    idleTimeout: .nanoseconds(idleTimeout.components.seconds * 1_000_000_000),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 100))),
            configuration: .init(address: .hostname(listen.host, port: listen.port), serverName: nil),
            onServerRunning: { channel in
                bound.settle(
                    .success(HostPort(host: listen.host, port: channel.localAddress?.port ?? listen.port)))
            },
            eventLoopGroupProvider: eventLoopGroup,
            logger: quiet)
    }

    /// Where it listens, with the port that port 0 became. Waits for the start.
    /// - Throws: what `run` throws when the start fails.
    package var boundAddress: HostPort {
        get async throws(WindfireError) { try await bound.value }
    }

    /// - Throws: `address_in_use` naming the address, `configuration_invalid` when it is not one of this machine.
    package func run() async throws {
        do {
            try await application.run()
            bound.settle(.failure(WindfireError(.notReady, "the HTTP server has stopped")))
        } catch {
            let failure = Self.failure(error, listen)
            bound.settle(.failure(failure ?? WindfireError(.notReady, "the HTTP server did not start", cause: error)))
            throw failure ?? error
        }
    }

    private static func failure(_ error: any Error, _ listen: HostPort) -> WindfireError? {
        guard let error = error as? IOError else {
            return error is SocketAddressError
                ? WindfireError(
                    .configurationInvalid, "cannot listen on \(listen): the host is not known", cause: error)
                : nil
        }
        switch error.errnoCode {
        case EADDRINUSE:
            return WindfireError(.addressInUse, "cannot listen on \(listen): it is in use", cause: error)
        case EADDRNOTAVAIL, EACCES:
            return WindfireError(
                .configurationInvalid, "cannot listen on \(listen): the system does not allow it", cause: error)
        default:
            return nil
        }
    }
}
