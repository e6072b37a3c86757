/// The text exposition format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
package enum PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`; everything else becomes `_`.
    static func metricName(_ name: String) -> String { sanitised(name, colonAllowed: true) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`; everything else becomes `_`.
    static func labelName(_ name: String) -> String { sanitised(name, colonAllowed: false) }

    private static func sanitised(_ name: String, colonAllowed: Bool) -> String {
        var text = ""
        for (place, byte) in name.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: ":") where colonAllowed:
                text += ":"
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if place == 0 { text += "_" }
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "_"
            }
        }
        return text.isEmpty ? "_" : text
    }

    /// Label values escape backslash, quote and line feed.
    static func escapedLabel(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Help texts escape backslash and line feed.
    static func escapedHelp(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }

    /// As Go's ParseFloat reads it; whole numbers without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }

    static func labels(_ labels: PrometheusLabels, adding extra: (String, String)? = nil) -> String {
        var parts = labels.pairs.map { "\($0.name)=\"\(escapedLabel($0.value))\"" }
        if let extra { parts.append("\(extra.0)=\"\(extra.1)\"") }
        return parts.isEmpty ? "" : "{" + parts.joined(separator: ",") + "}"
    }
}

extension PrometheusRegistry {
    /// The whole page: families by name, series by labels, so that two scrapes can be compared line by line.
    package func exposition() async -> String {
        let (families, collectors) = state.withLock { ($0.families, $0.collectors) }
        var pages: [(name: String, text: String)] = []
        for (name, family) in families { pages.append((name, Self.page(name, family))) }
        for collector in collectors {
            var text = Self.head(collector.name, collector.kind, collector.help)
            for sample in await collector.read() {
                text += "\(collector.name)\(PrometheusText.labels(sample.labels)) "
                text += "\(PrometheusText.number(sample.value))\n"
            }
            pages.append((collector.name, text))
        }
        return pages.sorted { $0.name < $1.name }.map(\.text).joined()
    }

    private static func head(_ name: String, _ kind: Kind, _ help: String) -> String {
        let line = "# TYPE \(name) \(kind.rawValue)\n"
        return help.isEmpty ? line : "# HELP \(name) \(PrometheusText.escapedHelp(help))\n" + line
    }

    private static func page(_ name: String, _ family: Family) -> String {
        var text = head(name, family.kind, family.help)
        let series = family.series.map { (labels: $0.key, text: PrometheusText.labels($0.key), instrument: $0.value) }
        for (labels, labelText, instrument) in series.sorted(by: { $0.text < $1.text }) {
            switch instrument {
            case .counter(let counter): text += "\(name)\(labelText) \(PrometheusText.number(counter.value))\n"
            case .gauge(let gauge): text += "\(name)\(labelText) \(PrometheusText.number(gauge.value))\n"
            case .histogram(let histogram): text += lines(name, labels, histogram)
            }
        }
        return text
    }

    /// Buckets are cumulative and end with +Inf, which equals the count.
    private static func lines(_ name: String, _ labels: PrometheusLabels, _ histogram: PrometheusHistogram) -> String {
        let snapshot = histogram.snapshot
        var text = ""
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], snapshot.counts) {
            total += count
            let label = PrometheusText.labels(labels, adding: ("le", PrometheusText.number(bound)))
            text += "\(name)_bucket\(label) \(total)\n"
        }
        let label = PrometheusText.labels(labels)
        return text + "\(name)_sum\(label) \(PrometheusText.number(snapshot.sum))\n\(name)_count\(label) \(total)\n"
    }
}
