import Common

/// `host:port`, as configuration writes it: `127.0.0.1:8100`, `[::1]:8100`, `0.0.0.0:0`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    /// 0 lets the system choose.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Throws: `configuration_invalid` saying what is wrong.
    package init(_ text: String) throws(WindfireError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw WindfireError(.configurationInvalid, "a listen address is host:port, the port is missing")
        }
        guard let port = UInt16(text[text.index(after: colon)...]) else {
            throw WindfireError(.configurationInvalid, "a listen address is host:port, with a port from 0 to 65535")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw WindfireError(.configurationInvalid, "an IPv6 listen address stands in brackets: [::1]:8100")
        }
        guard !host.isEmpty, host.utf8.count <= 255 else {
            throw WindfireError(.configurationInvalid, "a listen address is host:port, the host is missing")
        }
        self.init(host: String(host), port: Int(port))
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
