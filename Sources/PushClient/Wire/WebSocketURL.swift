import Foundation

/// The address of a node, taken apart (RFC 6455, section 3).
struct WebSocketURL: Equatable, Sendable {
    let isSecure: Bool
    let host: String
    let port: Int
    /// Path and query, never empty.
    let target: String

    init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "ws" || scheme == "wss", let host = parts.host, !host.isEmpty, parts.fragment == nil
        else { return nil }
        isSecure = scheme == "wss"
        // URLComponents keeps the brackets of an IPv6 address; connecting wants it without.
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = parts.port ?? (isSecure ? 443 : 80)
        guard (1...65_535).contains(port) else { return nil }
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        target = path + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }

    /// For the Host header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
