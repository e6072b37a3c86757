import Common

/// Where a webhook is: its URL, read strictly. What two URL parsers could read in two ways is refused, so that the host
/// that is checked is the host that is called.
package struct WebhookAddress: Hashable, Sendable, CustomStringConvertible {
    package let isTLS: Bool
    /// A name in lower case, or an IP address without brackets.
    package let host: String
    package let port: Int
    /// Path and query.
    package let path: String
    /// The host, when it is an address.
    let literal: IPAddress?

    /// - Parameters:
    ///   - key: what the configuration calls it, for messages.
    ///   - allowsPrivate: also takes addresses that only a network of one's own has.
    /// - Throws: `configuration_invalid`; the message names the key and the rule.
    package init(_ text: String, key: String, allowsPrivate: Bool) throws(WindfireError) {
        func refused(_ why: String) -> WindfireError { WindfireError(.configurationInvalid, "\(key) \(why)") }
        guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
            throw refused("has characters that a URL cannot have, or more than 2048 of them")
        }
        let rest: Substring
        if text.hasPrefix("https://") {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else {
            throw refused("is not an http:// or https:// URL")
        }
        guard !rest.contains("#") else { throw refused("has a fragment") }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw refused("has a user in it; calls are authenticated by their signature")
        }
        let tail = rest[authority.endIndex...]
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
        guard let (host, port) = Self.split(authority, defaultPort: isTLS ? 443 : 80) else {
            throw refused("has no host, or a port that is not 1 to 65535")
        }
        self.host = host
        self.port = port
        literal = IPAddress(host)
        if let literal {
            guard allowsPrivate || literal.isPublic else {
                throw refused(
                    "is at \(literal), a private or reserved address; webhooks.allow-private lets it be there")
            }
        } else {
            guard Self.isName(host) else { throw refused("has a host that is neither a name nor an address") }
            guard !Self.endsInNumber(host) else {
                throw refused("writes an address in another form than 192.0.2.1; such forms are refused")
            }
        }
    }

    private static func split(_ authority: Substring, defaultPort: Int) -> (String, Int)? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":"), host.contains(":"), IPAddress(String(host)) != nil else {
                return nil
            }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { return nil }
        guard let port else { return (host.lowercased(), defaultPort) }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(port), (1...65_535).contains(number)
        else { return nil }
        return (host.lowercased(), number)
    }

    /// Letters, digits, hyphens, underscores and single dots (RFC 1123, section 2.1, and what people do), 253 at most.
    private static func isName(_ host: String) -> Bool {
        host.utf8.count <= 253
            && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                            UInt8(ascii: "-"), UInt8(ascii: "_"):
                            true
                        default: false
                        }
                    }
            }
    }

    /// `2130706433`, `0x7f.1`, `127.1`, `010.0.0.1`: the C library reads these as addresses (inet_aton(3)), other
    /// parsers do not. No top-level domain is a number (the URL Standard, section 3.5: "ends in a number").
    private static func endsInNumber(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last else { return false }
        if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        return last.hasPrefix("0x")
            && last.dropFirst(2).utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    /// The host as a URL has it.
    private var urlHost: String { host.contains(":") ? "[\(host)]" : host }

    var url: String { "\(isTLS ? "https" : "http")://\(urlHost):\(port)\(path)" }

    /// Without path and query, which may hold what only the receiver should know.
    package var description: String { "\(isTLS ? "https" : "http")://\(urlHost):\(port)" }
}
