import Common
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOCore
import ServiceLifecycle

/// Serves a `NodeService` over gRPC to the other roles. Binds when `run` starts; ends after a graceful shutdown, once
/// the calls in progress are answered or `graceMax` is over.
package final class NodeRPCServer: Service {
    /// Longest wait for calls in progress at shutdown: as long as a caller waits at most.
    private static let graceMax: Duration = .seconds(5)
    /// Calls at once on one connection; more wait at the caller. With the window below it bounds what one caller can
    /// make a node hold.
    private static let callsPerConnectionMax = 256

    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let address: HostPort
    private let logger: Logger

    /// - Parameters:
    ///   - address: an IP address or `localhost`, and a port; port 0 lets the system choose.
    /// - Throws: `configuration_invalid` when it is another name.
    package init(
        service: any NodeService, bind address: HostPort, secret: SharedSecret,
        security: TransportSecurity = .plaintext,
        limits: Limits = .default, logger: Logger
    ) throws(WindfireError) {
        self.address = address
        self.logger = logger
        let transport = HTTP2ServerTransport.Posix(
            address: try Self.socketAddress(address),
            transportSecurity: Self.transportSecurity(security),
            config: .defaults { config in
                // A Deliver is one message: the payload once, 16 bytes and perhaps a place per session, and small
                // fields around them.
                config.rpc.maxRequestPayloadSize =
                    limits.payloadBytesMax + (64 << 10)
                    + limits.sessionsPerDeliverMax * (SessionID.byteCount + PackedPlaces.byteCount)
                // Half a megabyte in flight without waiting for window updates; larger frames, fewer frame headers.
                config.http2.targetWindowSize = 1 << 20
                config.http2.maxFrameSize = 64 << 10
                config.http2.maxConcurrentStreams = Self.callsPerConnectionMax
                config.connection.maxGraceTime = Self.graceMax
                // Callers ping idle connections to notice a dead machine (see GRPCNodeCaller); that is welcome here.
                config.connection.keepalive.clientBehavior.allowWithoutCalls = true
                config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(5)
            })
        server = GRPCServer(
            transport: transport,
            services: [NodeEndpoint(service: service, limits: limits)],
            interceptors: [SecretCheckingInterceptor(secret: secret)])
    }

    /// Where the server listens; waits until it does.
    /// - Throws: `address_in_use` or `not_ready` when binding failed or the server has stopped.
    package var boundAddress: HostPort {
        get async throws(WindfireError) {
            do {
                let bound = try await server.transport.listeningAddress
                if let four = bound.ipv4 { return HostPort(host: four.host, port: four.port) }
                if let six = bound.ipv6 { return HostPort(host: six.host, port: six.port) }
            } catch {
                throw WindfireError(.notReady, "the node's gRPC server does not listen", cause: error)
            }
            throw WindfireError(.notReady, "the node's gRPC server has no internet address")
        }
    }

    /// - Throws: `address_in_use` when another process listens there, `configuration_invalid` when the address cannot
    ///   be bound for another reason.
    package func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await server.serve()
            } onGracefulShutdown: {
                self.server.beginGracefulShutdown()
            }
        } catch {
            guard let failure = Self.systemError(beneath: error) else { throw error }
            if failure.errnoCode == EADDRINUSE {
                throw WindfireError(.addressInUse, "another process listens on \(address)", cause: failure)
            }
            throw WindfireError(.configurationInvalid, "cannot listen on \(address)", cause: failure)
        }
    }

    private static func systemError(beneath error: any Error) -> IOError? {
        var next: (any Error)? = error
        while let runtime = next as? RuntimeError { next = runtime.cause }
        return next as? IOError
    }

    private static func socketAddress(
        _ address: HostPort
    ) throws(WindfireError) -> GRPCNIOTransportCore.SocketAddress {
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        switch try? NIOCore.SocketAddress(ipAddress: host, port: address.port) {
        case .v4: return .ipv4(host: host, port: address.port)
        case .v6: return .ipv6(host: host, port: address.port)
        case .unixDomainSocket, nil:
            throw WindfireError(.configurationInvalid, "a node's gRPC server binds an IP address or localhost")
        }
    }

    private static func transportSecurity(
        _ security: TransportSecurity
    ) -> HTTP2ServerTransport.Posix.TransportSecurity {
        switch security {
        case .plaintext: .plaintext
        }
    }
}
