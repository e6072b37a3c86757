import Common
import Synchronization

/// Labels of one series, sorted by name, so that equal sets are equal keys.
package struct PrometheusLabels: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    let pairs: [Pair]

    struct Pair: Hashable, Sendable {
        let name: String
        let value: String
    }

    package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }

    package init(_ elements: [(String, String)]) {
        pairs = elements.map { Pair(name: PrometheusText.labelName($0.0), value: $0.1) }.sorted { $0.name < $1.name }
    }
}

/// Every instrument of a process, and the reader behind `/metrics`.
///
/// Looking up an instrument takes a lock and a hash: do it once and keep the instrument. Series are bounded, because a
/// label with unbounded values is the classical way to kill a Prometheus: beyond the bound, new label sets of a name
/// all share one series labelled `overflow="true"`.
package final class PrometheusRegistry: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// A value read at scrape time.
    package struct Sample: Sendable {
        package let labels: PrometheusLabels
        package let value: Double

        package init(_ labels: PrometheusLabels = [:], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    package static let seriesPerNameMax = 1_000

    /// From half a millisecond to ten seconds, in seconds.
    package static let timeBounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Powers of four, for sizes and counts.
    package static let sizeBounds: [Double] = (0...12).map { Double(1 << (2 * $0)) }

    enum Instrument {
        case counter(PrometheusCounter)
        case gauge(PrometheusGauge)
        case histogram(PrometheusHistogram)
    }

    struct Family {
        let kind: Kind
        var help: String
        var series: [PrometheusLabels: Instrument] = [:]
    }

    struct Collector: Sendable {
        let name: String
        let kind: Kind
        let help: String
        let read: @Sendable () async -> [Sample]
    }

    struct State {
        var families: [String: Family] = [:]
        var collectors: [Collector] = []
    }

    let state = Mutex(State())

    package init() {}

    package func counter(_ name: String, help: String = "", labels: PrometheusLabels = [:]) -> PrometheusCounter {
        let found = instrument(name, .counter, help, labels) { .counter(PrometheusCounter()) }
        if case .counter(let counter) = found { return counter }
        return PrometheusCounter()
    }

    package func gauge(_ name: String, help: String = "", labels: PrometheusLabels = [:]) -> PrometheusGauge {
        let found = instrument(name, .gauge, help, labels) { .gauge(PrometheusGauge()) }
        if case .gauge(let gauge) = found { return gauge }
        return PrometheusGauge()
    }

    /// - Parameter bounds: upper bounds of the buckets, rising; those of the name's first use stay.
    package func histogram(
        _ name: String, help: String = "", labels: PrometheusLabels = [:], bounds: [Double] = timeBounds
    ) -> PrometheusHistogram {
        let found = instrument(name, .histogram, help, labels) { .histogram(PrometheusHistogram(bounds: bounds)) }
        if case .histogram(let histogram) = found { return histogram }
        return PrometheusHistogram(bounds: bounds)
    }

    /// Values that are cheaper to read when asked than to keep current: sizes of tables, counts of other parts.
    package func collect(
        _ name: String, kind: Kind = .gauge, help: String = "", _ read: @escaping @Sendable () async -> [Sample]
    ) {
        precondition(kind != .histogram, "a collected value is a counter or a gauge")
        let collector = Collector(name: PrometheusText.metricName(name), kind: kind, help: help, read: read)
        state.withLock { $0.collectors.append(collector) }
    }

    /// Finds or makes an instrument. A name that is in use for another kind gives one that nobody reads: a metric
    /// must never bring a server down.
    private func instrument(
        _ name: String, _ kind: Kind, _ help: String, _ labels: PrometheusLabels, make: () -> Instrument
    ) -> Instrument {
        let name = PrometheusText.metricName(name)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind, help: help)
            guard family.kind == kind else { return make() }
            if family.help.isEmpty { family.help = help }
            let isFull = family.series.count >= Self.seriesPerNameMax && family.series[labels] == nil
            let labels: PrometheusLabels = isFull ? ["overflow": "true"] : labels
            let instrument = family.series[labels] ?? make()
            family.series[labels] = instrument
            state.families[name] = family
            return instrument
        }
    }
}
