import Common

/// Where the ensemble is: `zk://[user:password@]host:port[,host:port…][/base]`. IPv6 addresses stand in brackets. The
/// port is 2181 and the base path `/windfire` when they are left out.
package struct ZooKeeperAddress: Equatable, Sendable {
    /// `host:port`, each one server of the ensemble.
    package var servers: [String]
    /// Below it are `push/<NodeID>` and `route/<NodeID>`. Begins with a slash and does not end with one; empty for the
    /// root.
    package var basePath: String
    package var credentials: Credentials?

    /// For the `digest` scheme: entries are then readable and writable with these credentials only.
    package struct Credentials: Equatable, Sendable, CustomStringConvertible {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }

        package var description: String { "\(user):***" }
    }

    package init(servers: [String], basePath: String = "/windfire", credentials: Credentials? = nil) {
        self.servers = servers
        self.basePath = basePath
        self.credentials = credentials
    }

    /// - Throws: `configuration_invalid` with the part that is wrong; never with the text, which may hold a password.
    package init(_ text: String) throws(WindfireError) {
        guard text.hasPrefix("zk://") else { throw Self.invalid("does not begin with zk://") }
        var rest = text.dropFirst(5)

        var path: Substring = "/windfire"
        // The password may hold a slash, so the path is looked for behind the last @.
        let hostsStart = rest.lastIndex(of: "@").map { rest.index(after: $0) } ?? rest.startIndex
        if let slash = rest[hostsStart...].firstIndex(of: "/") {
            path = rest[slash...]
            rest = rest[..<slash]
        }
        basePath = try Self.checkedPath(path)

        if let at = rest.lastIndex(of: "@") {
            let words = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else {
                throw Self.invalid("has credentials that are not user:password")
            }
            credentials = Credentials(user: String(words[0]), password: String(words[1]))
            rest = rest[rest.index(after: at)...]
        } else {
            credentials = nil
        }

        var servers: [String] = []
        for server in rest.split(separator: ",", omittingEmptySubsequences: false) {
            servers.append(try Self.checkedServer(server))
        }
        self.servers = servers
    }

    /// What zookeeper_init takes.
    var connectString: String { servers.joined(separator: ",") }

    private static func checkedServer(_ text: Substring) throws(WindfireError) -> String {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw invalid("has an address without its ]") }
            host = text[...close]
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw invalid("has something behind a ]") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let allowed = host.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                true
            default: false
            }
        }
        guard !host.isEmpty, allowed else { throw invalid("has a server without a valid host name") }
        let number = port.map { Int($0) ?? 0 } ?? 2181
        guard (1...65535).contains(number) else {
            throw invalid("has a port outside 1…65535")
        }
        return "\(host):\(number)"
    }

    /// ZooKeeper's rules for paths: no empty, `.` or `..` component; we take a narrow alphabet and need no more.
    private static func checkedPath(_ text: Substring) throws(WindfireError) -> String {
        guard text != "/" else { return "" }
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard (try? NodeID(String(part))) != nil else {
                throw invalid("has a base path whose parts are not of A–Z a–z 0–9 . _ -")
            }
        }
        return String(text)
    }

    private static func invalid(_ what: String) -> WindfireError {
        WindfireError(.configurationInvalid, "the ZooKeeper address \(what); it is zk://host:2181,host:2181/windfire")
    }
}
