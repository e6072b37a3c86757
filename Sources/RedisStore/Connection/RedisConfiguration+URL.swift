import Common

extension RedisConfiguration {
    /// Reads `redis://[user:password@]host[:port][/database]`; `rediss://` for TLS; `redis+cluster://h1:p1,h2:p2,…` and
    /// `rediss+cluster://` for a Redis Cluster. User and password may be percent-encoded (RFC 3986, section 2.1).
    /// - Throws: `configuration_invalid`, naming the rule and never the text, which may hold a password.
    package init(url: String) throws(WindfireError) {
        guard let separator = url.firstRange(of: "://") else {
            throw Self.invalid("has no scheme; redis://host:6379 is the usual form")
        }
        let topology: Topology
        var tls: RedisTLS?
        switch url[..<separator.lowerBound] {
        case "redis": topology = .single
        case "rediss": (topology, tls) = (.single, RedisTLS())
        case "redis+cluster": topology = .cluster
        case "rediss+cluster": (topology, tls) = (.cluster, RedisTLS())
        case "redis+sentinel", "rediss+sentinel":
            throw Self.invalid("names Sentinel, which this version does not follow; use redis:// or redis+cluster://")
        default:
            throw Self.invalid("has an unknown scheme; redis, rediss, redis+cluster and rediss+cluster are known")
        }

        var rest = url[separator.upperBound...]
        var path = Substring()
        if let slash = rest.lastIndex(of: "/") {
            path = rest[rest.index(after: slash)...]
            rest = rest[..<slash]
        }
        var credentials: Substring?
        if let at = rest.lastIndex(of: "@") {
            credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }

        var addresses: [RedisAddress] = []
        for part in rest.split(separator: ",", omittingEmptySubsequences: false) {
            addresses.append(try Self.address(part))
        }
        guard topology == .cluster || addresses.count == 1 else {
            throw Self.invalid("has several hosts; a list of them is for redis+cluster://")
        }
        self.init(topology: topology, addresses: addresses)
        self.tls = tls

        if let credentials {
            let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Self.invalid("has credentials that are not user:password") }
            let user = try Self.decoded(parts[0])
            self.user = user.isEmpty ? nil : user
            password = try Self.decoded(parts[1])
        }
        if !path.isEmpty {
            guard let number = Int(path), (0...1_000_000).contains(number) else {
                throw Self.invalid("has a database that is not a number")
            }
            guard topology == .single || number == 0 else {
                throw Self.invalid("has a database; a Redis Cluster has only 0")
            }
            database = number
        }
    }

    private static func invalid(_ rule: String) -> WindfireError {
        WindfireError(.configurationInvalid, "the address of Redis \(rule)")
    }

    private static func address(_ text: Substring) throws(WindfireError) -> RedisAddress {
        var host = text
        var port = "6379"[...]
        if text.hasPrefix("[") {
            guard let close = text.lastIndex(of: "]") else { throw invalid("has a [ without a ]") }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw invalid("has something between ] and the port") }
            if !after.isEmpty { port = after.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw invalid("has an empty host") }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw invalid("has a port that is not a number from 1 to 65535")
        }
        return RedisAddress(host: String(host), port: number)
    }

    private static func decoded(_ text: Substring) throws(WindfireError) -> String {
        var bytes: [UInt8] = []
        var left = text.utf8[...]
        while let byte = left.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(left.prefix(2)), digits.utf8.count == 2, let value = UInt8(digits, radix: 16)
            else { throw invalid("has a % in its credentials that two hex digits do not follow") }
            bytes.append(value)
            left = left.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw invalid("has credentials that are not UTF-8")
        }
        return decoded
    }
}
