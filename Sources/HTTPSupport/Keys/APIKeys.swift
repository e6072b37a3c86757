import Common
import Crypto

/// Who called, as far as API keys tell.
package struct APIKey: Hashable, Sendable {
    /// What a key opens. `admin` opens everything the others do.
    package enum Role: String, Hashable, Sendable, CaseIterable {
        /// Send pushes.
        case push
        /// Look and steer.
        case ops
        case admin

        package func includes(_ other: Role) -> Bool { self == other || self == .admin }
    }

    /// For logs and audit lines; the key itself is never kept.
    package let name: String
    package let role: Role
    /// Targets of pushes a second, at most; nil for any number.
    package let ratePerSecond: Int?

    package init(name: String, role: Role, ratePerSecond: Int? = nil) {
        self.name = name
        self.role = role
        self.ratePerSecond = ratePerSecond
    }
}

/// The configured keys, by the SHA-256 of each.
///
/// Keys are long random strings (`windfire config` makes them), so a fast hash is enough: there is nothing to guess.
/// Hashing what was presented also makes all comparisons the same length.
package struct APIKeys: Sendable {
    private struct Entry: Sendable {
        let key: APIKey
        let digest: [UInt8]
    }

    private let entries: [Entry]

    package static let none = APIKeys(entries: [])

    private init(entries: [Entry]) { self.entries = entries }

    /// - Parameter configured: one `name:role:sha256hex` each, where the hash is of the key's UTF-8 bytes; `:500/s`
    ///   behind it bounds the targets of its pushes.
    /// - Throws: `configuration_invalid` with the place of the entry, never its text.
    package init(_ configured: [String]) throws(WindfireError) {
        var entries: [Entry] = []
        for (place, text) in configured.enumerated() {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard (3...4).contains(parts.count), (1...64).contains(parts[0].utf8.count) else {
                throw WindfireError(.configurationInvalid, "API key \(place + 1) is not name:role:sha256hex")
            }
            guard let role = APIKey.Role(rawValue: String(parts[1])) else {
                throw WindfireError(
                    .configurationInvalid, "API key \(place + 1) has a role that is not push, ops or admin")
            }
            guard let digest = Self.bytes(hex64: parts[2]) else {
                throw WindfireError(.configurationInvalid, "API key \(place + 1) has a hash that is not 64 hex digits")
            }
            let rate = parts.count > 3 ? ConfiguredAPIKey.rate(parts[3]) : nil
            guard parts.count == 3 || rate != nil else {
                throw WindfireError(
                    .configurationInvalid, "API key \(place + 1) has a rate that is not a whole number and /s")
            }
            let key = APIKey(name: String(parts[0]), role: role, ratePerSecond: rate)
            guard !entries.contains(where: { $0.key.name == key.name }) else {
                throw WindfireError(.configurationInvalid, "API key \(place + 1) has the name of an earlier one")
            }
            entries.append(Entry(key: key, digest: digest))
        }
        self.entries = entries
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// Targets a second, by the name of each key that has a bound.
    package var rates: [String: Int] {
        entries.reduce(into: [:]) { rates, entry in rates[entry.key.name] = entry.key.ratePerSecond }
    }

    /// The configured form of a key: for `windfire config`, the dev role and tests.
    package static func entry(
        name: String, role: APIKey.Role, key: String, ratePerSecond: Int? = nil
    ) -> String {
        "\(name):\(role.rawValue):\(hash(of: key))" + (ratePerSecond.map { ":\($0)/s" } ?? "")
    }

    /// SHA-256 in lower-case hex.
    package static func hash(of key: String) -> String {
        SHA256.hash(data: Array(key.utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
        }.joined()
    }

    /// The key that was presented, if it is one of ours. Looks at every entry and every byte whatever it finds, so
    /// that time tells nothing.
    package func identify(_ presented: String) -> APIKey? {
        let digest = Array(SHA256.hash(data: Array(presented.utf8)))
        var found: APIKey?
        for entry in entries {
            var difference: UInt8 = 0
            for (left, right) in zip(entry.digest, digest) { difference |= left ^ right }
            if difference == 0 { found = entry.key }
        }
        return found
    }

    /// Whether a key is among the configured ones: roles other than dev refuse to start with the key `dev`.
    package func accepts(_ key: String) -> Bool { identify(key) != nil }

    private static func bytes(hex64 text: Substring) -> [UInt8]? {
        guard text.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: 64, by: 16) {
            let from = text.utf8.index(text.utf8.startIndex, offsetBy: start)
            let to = text.utf8.index(from, offsetBy: 16)
            guard let word = UInt64(hex16: text[from..<to]) else { return nil }
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
        return bytes
    }
}
