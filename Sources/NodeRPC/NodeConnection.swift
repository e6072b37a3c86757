import Common
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// One HTTP/2 connection to one node: made on the first call, made again after it broke, until closed.
final class NodeConnection: Sendable {
    let stub: Windfire_Node_V1_Node.Client<HTTP2ClientTransport.Posix>
    private let client: GRPCClient<HTTP2ClientTransport.Posix>

    /// - Parameter endpoint: `host:port` as the node announces it.
    /// - Throws: `node_unavailable` when the endpoint cannot be an address.
    init(to endpoint: String, secret: SharedSecret, security: TransportSecurity) throws(WindfireError) {
        guard let address = HostPort(endpoint) else {
            throw WindfireError(.nodeUnavailable, "the node's gRPC endpoint is no address")
        }
        do {
            let transport = try HTTP2ClientTransport.Posix(
                target: .dns(host: address.host, port: address.port),
                transportSecurity: Self.transportSecurity(security),
                config: .defaults { config in
                    // Default is up to 2 minutes: a node that was away for a moment would stay unreachable that long.
                    config.backoff = .init(
                        initial: .milliseconds(100), max: .seconds(2), multiplier: 1.6, jitter: 0.2)
                    // A machine that vanished without a word is noticed within 15 s, and calls then fail at once.
                    config.connection.keepalive = .init(
                        time: .seconds(10), timeout: .seconds(5), allowWithoutCalls: true)
                    config.http2.maxFrameSize = 64 << 10
                },
                // One connection, also where a name has several addresses.
                serviceConfig: ServiceConfig(loadBalancingConfig: [.pickFirst(shuffleAddressList: false)]))
            client = GRPCClient(transport: transport, interceptors: [SecretAttachingInterceptor(secret: secret)])
        } catch {
            throw WindfireError(.nodeUnavailable, "the node's gRPC endpoint cannot be dialled", cause: error)
        }
        stub = Windfire_Node_V1_Node.Client(wrapping: client)
        let client = self.client
        // Ends when `close` was called; holds no reference to this object.
        Task { try? await client.runConnections() }
    }

    deinit { client.beginGracefulShutdown() }

    /// No new calls; those in progress end by themselves, at their deadline at the latest.
    func close() { client.beginGracefulShutdown() }

    private static func transportSecurity(
        _ security: TransportSecurity
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        switch security {
        case .plaintext: .plaintext
        }
    }
}
