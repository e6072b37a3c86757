import Histogram

/// Times in microseconds: what a report shows of a histogram, and what helpers hand over.
struct Distribution: Codable, Sendable {
    let count: UInt64
    let mean_us: Double
    let p50_us: UInt64
    let p90_us: UInt64
    let p99_us: UInt64
    let p999_us: UInt64
    let max_us: UInt64

    init(_ histogram: Histogram<UInt64>) {
        count = histogram.totalCount
        mean_us = histogram.totalCount == 0 ? 0 : histogram.mean
        p50_us = histogram.valueAtPercentile(50)
        p90_us = histogram.valueAtPercentile(90)
        p99_us = histogram.valueAtPercentile(99)
        p999_us = histogram.valueAtPercentile(99.9)
        max_us = histogram.totalCount == 0 ? 0 : histogram.max
    }
}

extension Histogram where Count == UInt64 {
    /// From one microsecond to ten minutes, three digits.
    static var microseconds: Histogram<UInt64> {
        Histogram<UInt64>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
    }

    mutating func record(nanoseconds: UInt64) { _ = record(Swift.min(nanoseconds / 1_000, 600_000_000)) }

    /// Value and count, value and count, …: only what was recorded.
    var sparse: [UInt64] { recordedValues().flatMap { [$0.value, $0.count] } }

    mutating func add(sparse: [UInt64]) {
        for place in stride(from: 0, to: sparse.count - 1, by: 2) {
            _ = record(Swift.min(sparse[place], 600_000_000), count: sparse[place + 1])
        }
    }
}
