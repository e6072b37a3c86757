import Logging

/// How a value is written: the same text in a flag, a variable and the file. Lists are separated by commas, or are
/// lists in the file.
package struct ValueForm<Value: Sendable>: Sendable {
    let type: String
    let allowed: String
    var isList = false
    /// May stand as a flag without a value, meaning `true`.
    var isSwitch = false
    let parse: @Sendable (String) -> Value?
    /// What of it may be shown.
    var mask: @Sendable (String) -> String = { $0 }
}

extension ValueForm where Value == String {
    static let text = ValueForm(type: "text", allowed: "not empty") { $0.isEmpty ? nil : $0 }
    static let path = ValueForm(type: "path", allowed: "a path") { $0.isEmpty ? nil : $0 }

    /// `scheme://…` of one of these schemes, or one of the whole words.
    static func url(_ schemes: [String], or words: [String] = []) -> ValueForm {
        let choices = words.map { "`\($0)`" } + schemes.map { "`\($0)://…`" }
        return ValueForm(
            type: "url", allowed: choices.joined(separator: " or "),
            parse: { text in
                if words.contains(text) { return text }
                guard let (scheme, rest) = split(text), schemes.contains(scheme), !rest.isEmpty,
                    !rest.hasPrefix("/"), rest.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
                else { return nil }
                return text
            },
            mask: { text in
                guard let (scheme, rest) = split(text) else { return text }
                let authority = rest.prefix { $0 != "/" && $0 != "?" }
                guard let at = authority.lastIndex(of: "@") else { return text }
                let user = authority[..<at].prefix { $0 != ":" }
                return "\(scheme)://\(user):********\(rest[at...])"
            })
    }

    private static func split(_ text: String) -> (scheme: String, rest: Substring)? {
        guard let range = text.firstRange(of: "://") else { return nil }
        return (String(text[..<range.lowerBound]), text[range.upperBound...])
    }
}

extension ValueForm where Value == Bool {
    static let boolean = ValueForm(
        type: "boolean", allowed: "`true` or `false`", isSwitch: true,
        parse: { text in
            switch text {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        })
}

extension ValueForm where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(
            type: "integer", allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } })
    }

    static func bytes(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(
            type: "size",
            allowed: "a size such as `512`, `64KiB` or `1MiB`, from \(ByteText.text(of: range.lowerBound)) to "
                + ByteText.text(of: range.upperBound),
            parse: { text in ByteText.bytes(of: text).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension ValueForm where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> ValueForm {
        ValueForm(
            type: "number", allowed: "a number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Double(text).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension ValueForm where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueForm {
        ValueForm(
            type: "duration",
            allowed: "a duration such as `250ms`, `10s`, `5m` or `1h`, from \(DurationText.text(of: range.lowerBound)) "
                + "to \(DurationText.text(of: range.upperBound))",
            parse: { text in DurationText.duration(of: text).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension ValueForm where Value: CaseIterable & RawRepresentable<String> {
    static var choice: ValueForm {
        ValueForm(
            type: "choice", allowed: Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or "),
            parse: Value.init(rawValue:))
    }
}

extension ValueForm where Value == NodeID {
    static let nodeID = ValueForm(type: "node id", allowed: "1 to 64 of `[A-Za-z0-9._-]`") { try? NodeID($0) }
}

extension ValueForm where Value == HostPort {
    static let address = ValueForm(
        type: "address", allowed: "`host:port` or `[IPv6]:port`, port 0 to 65535", parse: HostPort.init)
}

extension ValueForm where Value == AddressBlock {
    static let addressBlock = ValueForm(
        type: "address block",
        allowed: "an IP address, or a block such as `10.0.0.0/8` or `2001:db8::/32` with nothing behind its prefix",
        parse: AddressBlock.init)
}

extension ValueForm {
    /// Several, separated by commas; empty text is the empty list.
    static func list<Element>(of form: ValueForm<Element>) -> ValueForm where Value == [Element] {
        ValueForm(
            type: "list of \(form.type)", allowed: "a list, each \(form.allowed)", isList: true,
            parse: { text in
                var values: [Element] = []
                for item in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
                    guard let value = form.parse(item.trimmingSpaces) else { return nil }
                    values.append(value)
                }
                return values
            })
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
