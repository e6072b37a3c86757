/// Parts of the addresses that engines are configured by, as URLs write them. What is wrong is told as the rule that
/// was broken and never as the text, which may hold a password.
package enum AddressText {
    package struct Problem: Error, Equatable {
        /// To be read after "the address …".
        package let rule: String
    }

    /// `host`, `host:port` or `[IPv6]:port` (RFC 3986, section 3.2.2); ports from 1 to 65535.
    package static func hostAndPort(
        _ text: Substring, defaultPort: Int
    ) throws(Problem) -> (host: String, port: Int) {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.lastIndex(of: "]") else { throw Problem(rule: "has a [ without a ]") }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Problem(rule: "has something between ] and the port")
            }
            if !after.isEmpty { port = after.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw Problem(rule: "has no host") }
        guard let port else { return (String(host), defaultPort) }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw Problem(rule: "has a port that is not a number from 1 to 65535")
        }
        return (String(host), number)
    }

    /// Takes percent-encoding away (RFC 3986, section 2.1).
    package static func decoded(_ text: Substring) throws(Problem) -> String {
        var bytes: [UInt8] = []
        var left = text.utf8[...]
        while let byte = left.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(left.prefix(2)), digits.utf8.count == 2, let value = UInt8(digits, radix: 16)
            else { throw Problem(rule: "has a % that two hex digits do not follow") }
            bytes.append(value)
            left = left.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Problem(rule: "has a part that is not UTF-8")
        }
        return decoded
    }
}
