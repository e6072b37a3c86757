import Common
import NIOCore
import NIOPosix

/// What a node tells others to dial: configured, or derived from where it listens, and then checked by dialling it
/// itself. A node that cannot be reached where it says it is would take devices and give none a connection.
struct NodeAddresses {
    let webSocket: String
    let grpc: String
    /// Nil when Janus has no port of its own.
    let janus: String?

    init(configuration: PushServerConfiguration, devicePort: Int, grpcPort: Int, janusPort: Int?) {
        janus = configuration.janus.flatMap { janus in
            guard let listen = janus.listen, let janusPort else { return nil }
            return janus.advertised ?? "\(Self.reachable(listen, janusPort))"
        }
        let scheme = configuration.tlsCertificate == nil ? "ws" : "wss"
        webSocket =
            configuration.advertisedWebSocket
            ?? "\(scheme)://\(Self.reachable(configuration.listen, devicePort))\(HTTPOpening.path)"
        grpc = configuration.advertisedGRPC ?? "\(Self.reachable(configuration.grpcListen, grpcPort))"
    }

    /// A wildcard address cannot be dialled; this machine's own name stands in, or loopback when it resolves to
    /// nothing.
    private static func reachable(_ listen: HostPort, _ port: Int) -> HostPort {
        guard listen.host == "0.0.0.0" || listen.host == "::" else { return HostPort(host: listen.host, port: port) }
        let candidates = (try? System.enumerateDevices()) ?? []
        let outside = candidates.compactMap(\.address).first { address in
            guard case .v4 = address, let ip = address.ipAddress else { return false }
            return !ip.hasPrefix("127.") && !ip.hasPrefix("169.254.")
        }
        return HostPort(host: outside?.ipAddress ?? "127.0.0.1", port: port)
    }

    /// Dials all addresses.
    /// - Throws: `configuration_invalid` naming the address that does not answer.
    func check(on group: any EventLoopGroup) async throws(WindfireError) {
        try await dial(webSocket, key: "push.advertise-ws", on: group)
        try await dial(grpc, key: "push.advertise-grpc", on: group)
        if let janus { try await dial(janus, key: "push.advertise-janus", on: group) }
    }

    private func dial(_ address: String, key: StaticString, on group: any EventLoopGroup) async throws(WindfireError) {
        guard let (host, port) = Self.authority(of: address) else {
            throw WindfireError(.configurationInvalid, "\(key) is \(address), which is not an address with a port")
        }
        do {
            let channel = try await ClientBootstrap(group: group).connectTimeout(.seconds(3))
                .connect(host: host, port: port).get()
            try? await channel.close()
        } catch {
            throw WindfireError(
                .configurationInvalid, "\(key) is \(address), which this node cannot reach itself", cause: error)
        }
    }

    /// Host and port of `host:port` or of a URL.
    static func authority(of address: String) -> (host: String, port: Int)? {
        var rest = address[...]
        var port: Int?
        if let scheme = rest.range(of: "://") {
            port = rest[..<scheme.lowerBound] == "wss" ? 443 : 80
            rest = rest[scheme.upperBound...]
            rest = rest.prefix { $0 != "/" && $0 != "?" }
        }
        if let colon = rest.lastIndex(of: ":"), let number = Int(rest[rest.index(after: colon)...]) {
            port = number
            rest = rest[..<colon]
        }
        guard let port, (1...65_535).contains(port), !rest.isEmpty else { return nil }
        return (rest.trimmingPrefix("[").hasSuffix("]") ? String(rest.dropFirst().dropLast()) : String(rest), port)
    }
}
