/// A key of the HTTP API as configuration holds it: who it is, what it may, and the hash of it. The key itself is shown
/// once, when `windfire key` makes it, and stands nowhere.
package struct ConfiguredAPIKey: Hashable, Sendable, CustomStringConvertible {
    package enum Role: String, Sendable, CaseIterable {
        /// Sends.
        case push
        /// Looks and steers.
        case ops
        /// Both, and keys.
        case admin
    }

    package let name: String
    package let role: Role
    /// SHA-256 of the key's bytes, 64 lower-case hex digits. A fast hash is enough: keys are 32 random bytes.
    package let sha256Hex: String
    /// Targets of its pushes a second, at most; nil for any number.
    package let ratePerSecond: Int?

    package init(name: String, role: Role, sha256Hex: String, ratePerSecond: Int? = nil) {
        self.name = name
        self.role = role
        self.sha256Hex = sha256Hex
        self.ratePerSecond = ratePerSecond
    }

    /// Reads `name:role:sha256hex`, and `:500/s` behind it.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (3...4).contains(parts.count), !parts[0].isEmpty, parts[0].utf8.count <= 64,
            let role = Role(rawValue: String(parts[1])),
            parts[2].utf8.count == 64, parts[2].allSatisfy({ $0.isASCII && $0.isHexDigit })
        else { return nil }
        let rate = parts.count > 3 ? Self.rate(parts[3]) : nil
        guard parts.count == 3 || rate != nil else { return nil }
        self.init(name: String(parts[0]), role: role, sha256Hex: parts[2].lowercased(), ratePerSecond: rate)
    }

    /// Reads `500/s`: 1 to 10,000,000.
    package static func rate(_ text: some StringProtocol) -> Int? {
        guard text.hasSuffix("/s"), text.first?.isNumber == true, let rate = Int(text.dropLast(2)),
            (1...10_000_000).contains(rate)
        else { return nil }
        return rate
    }

    package var description: String {
        "\(name):\(role.rawValue):\(sha256Hex)" + (ratePerSecond.map { ":\($0)/s" } ?? "")
    }
}

extension ValueForm where Value == ConfiguredAPIKey {
    static let apiKey = ValueForm(
        type: "api key",
        allowed: "`name:push|ops|admin:sha256` as `windfire key` prints it, and `:500/s` to bound its targets a second",
        parse: ConfiguredAPIKey.init)
}
