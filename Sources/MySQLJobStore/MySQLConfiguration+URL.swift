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
        var host = text
        var port: Substring = "3306"
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
        guard !host.isEmpty, !host.contains(",") else { throw invalid("has not exactly one host") }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw invalid("has a port that is not a number from 1 to 65535")
        }
        return (String(host), number)
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
            else { throw invalid("has a % that two hex digits do not follow") }
            bytes.append(value)
            left = left.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !decoded.utf8.contains(0) else {
            throw invalid("has a part that is not UTF-8")
        }
        return decoded
    }
}
