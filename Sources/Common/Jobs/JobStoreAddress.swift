/// Which store keeps the jobs, as `route.jobs` says it: `sqlite:PATH`, `mysql://…`, or `memory:`. Printed without a
/// password.
package enum JobStoreAddress: Hashable, Sendable, CustomStringConvertible {
    /// In this process, gone with it.
    case memory
    /// A file; relative paths begin at the working folder.
    case sqlite(path: String)
    /// A server. The whole address, which its driver reads; it may hold a password.
    case mysql(url: String)

    /// Nil when the text is none of these.
    package init?(_ text: String) {
        if text == "memory:" {
            self = .memory
        } else if text.hasPrefix("sqlite:") {
            let path = String(text.dropFirst(7))
            guard !path.isEmpty, !path.hasPrefix("//"), !path.utf8.contains(0) else { return nil }
            self = .sqlite(path: path)
        } else if text.hasPrefix(Self.mysqlScheme) {
            let rest = text.dropFirst(Self.mysqlScheme.count)
            guard rest.first != "/", !rest.isEmpty, rest.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
                return nil
            }
            self = .mysql(url: text)
        } else {
            return nil
        }
    }

    private static let mysqlScheme = "mysql://"

    package var description: String {
        switch self {
        case .memory: "memory:"
        case .sqlite(let path): "sqlite:\(path)"
        case .mysql(let url): Self.masked(url)
        }
    }

    /// From the first colon to the last at sign: also of an address that is wrong, where `?`, `/` and `@` stand in a
    /// password that should have been encoded.
    fileprivate static func masked(_ text: String) -> String {
        guard text.hasPrefix(mysqlScheme), let at = text.lastIndex(of: "@") else { return text }
        let user = text.dropFirst(mysqlScheme.count).prefix { $0 != ":" && $0 != "@" }
        guard user.endIndex < at else { return text }
        return "\(mysqlScheme)\(user):********\(text[at...])"
    }
}

extension ValueForm where Value == JobStoreAddress {
    static let jobStore = ValueForm(
        type: "job store", allowed: "`sqlite:PATH`, `mysql://user:password@host:port/database` or `memory:`",
        parse: JobStoreAddress.init, mask: JobStoreAddress.masked)
}
