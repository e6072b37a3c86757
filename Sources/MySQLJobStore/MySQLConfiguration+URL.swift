import Common

extension MySQLConfiguration {
    /// Reads `mysql://user:password@host[:port]/database[?tls=off|required|verify&tls-ca=FILE]`. User, password,
    /// database and values may be percent-encoded (RFC 3986, section 2.1). `tls-ca` implies `verify`.
    /// - Parameter password: given apart, as it is; the address has none then.
    /// - Throws: `configuration_invalid`, naming the rule and never the text, which holds a password.
    package init(url: String, password: String? = nil) throws(WindfireError) {
        guard url.hasPrefix("mysql://") else {
            throw Self.invalid("has no scheme; mysql://user:password@host:3306/database is the usual form")
        }
        var rest = url.dropFirst(8)
        var query = Substring()
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        guard let at = rest.lastIndex(of: "@") else { throw Self.invalid("has no user@") }
        let credentials = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = credentials.first, !user.isEmpty else { throw Self.invalid("has no user") }
        let secret: String
        switch (credentials.count, password) {
        case (1, let password?): secret = password
        case (1, nil): throw Self.invalid("has no password, and route.jobs-password is not set either")
        case (_, nil): secret = try Self.decoded(credentials[1])
        default: throw Self.invalid("has a password, and route.jobs-password is another one")
        }
        rest = rest[rest.index(after: at)...]
        guard let slash = rest.firstIndex(of: "/"), slash != rest.indices.last else {
            throw Self.invalid("has no /database")
        }
        let database = try Self.decoded(rest[rest.index(after: slash)...])
        guard !database.contains("/"), !database.contains("`"), database.utf8.count <= 64 else {
            throw Self.invalid("has a database that is not a name")
        }
        let (host, port) = try Self.address(rest[..<slash])
        self.init(host: host, user: try Self.decoded(user), password: secret, database: database)
        self.port = port
        tls = try Self.tls(query)
    }

    private static func tls(_ query: Substring) throws(WindfireError) -> TLS {
        var mode: String?
        var authorities: String?
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw invalid("has an option without a value") }
            switch pair[0] {
            case "tls": mode = try decoded(pair[1])
            case "tls-ca": authorities = try decoded(pair[1])
            default: throw invalid("has an option that is not known; tls and tls-ca are")
            }
        }
        if authorities?.isEmpty == true { throw invalid("has a tls-ca without a file") }
        switch mode {
        case nil: return authorities.map { .verified(authorities: $0) } ?? .off
        case "verify": return .verified(authorities: authorities)
        case "off" where authorities == nil: return .off
        case "required" where authorities == nil: return .required
        case "off", "required": throw invalid("has a tls-ca, which goes with tls=verify")
        default: throw invalid("has a tls that is none of off, required and verify")
        }
    }

    private static func invalid(_ rule: String) -> WindfireError {
        WindfireError(.configurationInvalid, "the address of MySQL \(rule)")
    }

    private static func address(_ text: Substring) throws(WindfireError) -> (host: String, port: Int) {
        guard !text.contains(",") else { throw invalid("has not exactly one host") }
        do throws(AddressText.Problem) {
            return try AddressText.hostAndPort(text, defaultPort: 3306)
        } catch {
            throw invalid(error.rule)
        }
    }

    private static func decoded(_ text: Substring) throws(WindfireError) -> String {
        do throws(AddressText.Problem) { return try AddressText.decoded(text) } catch { throw invalid(error.rule) }
    }
}
