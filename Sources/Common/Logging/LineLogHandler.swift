import Logging

/// Writes one line per event: a JSON object for machines, or a readable line for people (`log.format`). Every value is
/// escaped, so that one event stays one line whatever a client put into it (CWE-117), and long values are cut.
package struct LineLogHandler: LogHandler {
    package enum Format: Sendable {
        case json, pretty
    }

    /// Longest value in a line, in characters: ids are at most 128 bytes, error texts a few hundred.
    package static let valueLengthMax = 1_000

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Format
    /// Unix milliseconds.
    private let clock: @Sendable () -> UInt64
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes a whole line with its end; called from many threads.
    package init(
        label: String, format: Format, level: Logger.Level, clock: @escaping @Sendable () -> UInt64,
        write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.label = label
        self.format = format
        logLevel = level
        self.clock = clock
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let metadata = event.metadata { all.merge(metadata) { _, new in new } }
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, Self.cut($0.value.description)) }
        switch format {
        case .json: write(json(event, fields))
        case .pretty: write(pretty(event, fields))
        }
    }

    private func json(_ event: LogEvent, _ fields: [(String, String)]) -> [UInt8] {
        var line = JSONWriter(capacity: 256)
        line.beginObject()
        line.key("time")
        line.string(UTCTime.text(unixMilliseconds: clock()))
        line.key("level")
        line.string(event.level.rawValue)
        line.key("role")
        line.string(label)
        line.key("message")
        line.string(Self.cut(event.message.description))
        for (name, value) in fields {
            line.key(escaping: name)
            line.string(value)
        }
        line.endObject()
        return line.bytes + [UInt8(ascii: "\n")]
    }

    private func pretty(_ event: LogEvent, _ fields: [(String, String)]) -> [UInt8] {
        let time = UTCTime.text(unixMilliseconds: clock()).dropFirst(11).prefix(12)
        var line = "\(time) \(event.level.rawValue.uppercased()) \(label): \(Self.escaped(event.message.description))"
        for (name, value) in fields { line += "  \(name)=\(Self.escaped(value))" }
        return Array((line + "\n").utf8)
    }

    private static func cut(_ text: String) -> String {
        text.count <= valueLengthMax ? text : text.prefix(valueLengthMax) + "…"
    }

    /// No control characters: no line breaks, no terminal sequences.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.properties.isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { line, scalar in
            if scalar.properties.isControl {
                line += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}

/// RFC 3339 in UTC, without the weight of a date formatter on every line.
package enum UTCTime {
    /// `2026-11-21T03:20:05.123Z`. The civil calendar from days, after H. Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms": eras of 400 years, years that begin in March.
    package static func text(unixMilliseconds: UInt64) -> String {
        let seconds = unixMilliseconds / 1000
        let days = Int(seconds / 86_400) + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = seconds % 86_400
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(Int(clock / 3_600), 2)):"
            + "\(pad(Int(clock / 60 % 60), 2)):\(pad(Int(clock % 60), 2)).\(pad(Int(unixMilliseconds % 1000), 3))Z"
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
