/// Host and port of one Redis server.
package struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address; empty in a redirection that means "the node that sent this".
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port` as Redis writes it in redirections: IPv6 without brackets, so the last colon counts.
    package init?(endpoint: some StringProtocol) {
        guard let colon = endpoint.lastIndex(of: ":"), let port = Int(endpoint[endpoint.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        self.init(host: String(endpoint[..<colon]), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
