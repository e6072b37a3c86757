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
        do throws(AddressText.Problem) {
            let (host, port) = try AddressText.hostAndPort(text, defaultPort: 6379)
            return RedisAddress(host: host, port: port)
        } catch {
            throw invalid(error.rule)
        }
    }

    private static func decoded(_ text: Substring) throws(WindfireError) -> String {
        do throws(AddressText.Problem) { return try AddressText.decoded(text) } catch { throw invalid(error.rule) }
    }
}
