// Durations and sizes as people write them: a whole number and a unit. No fractions: `1500ms`, not `1.5s`, so that what
// is printed is what was meant.

/// `250ms`, `10s`, `5m`, `1h`, `7d`.
package enum DurationText {
    /// Longest first, so that printing picks the largest unit that divides the value.
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    package static func duration(of text: String) -> Duration? {
        guard let (number, suffix) = quantity(text),
            let unit = units.first(where: { $0.suffix == suffix })
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    package static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0, let unit = units.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "0s"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}

/// `512`, `512B`, `64KiB`, `1MiB`, `2GiB`.
package enum ByteText {
    private static let units: [(suffix: String, bytes: Int64)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1),
    ]

    package static func bytes(of text: String) -> Int? {
        guard let (number, suffix) = quantity(text),
            let unit = units.first(where: { $0.suffix == suffix })
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : Int(exactly: bytes)
    }

    package static func text(of bytes: Int) -> String {
        guard bytes != 0, let unit = units.first(where: { Int64(bytes) % $0.bytes == 0 }) else { return "0B" }
        return "\(Int64(bytes) / unit.bytes)\(unit.suffix)"
    }
}

/// Digits, then a suffix that has none. At most 18 digits, so that the number fits.
private func quantity(_ text: String) -> (number: Int64, suffix: Substring)? {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    guard (1...18).contains(digits.utf8.count), let number = Int64(digits) else { return nil }
    return (number, text[digits.endIndex...])
}
