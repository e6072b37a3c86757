import CoreMetrics
import Synchronization

// The instruments behind swift-metrics' protocols and behind our own calls. Counters and gauges are one atomic word;
// a histogram takes a lock of a few nanoseconds, because its sum and its buckets must agree.

/// A count that only rises.
package final class PrometheusCounter: CounterHandler, FloatingPointCounterHandler, Sendable {
    private let whole = Atomic<Int64>(0)
    /// Bits of a Double; touched only by fractional increments.
    private let fraction = Atomic<UInt64>(0)

    init() {}

    package func increment(by amount: Int = 1) { increment(by: Int64(amount)) }
    package func increment(by amount: Int64) { whole.wrappingAdd(amount, ordering: .relaxed) }

    package func increment(by amount: Double) { fraction.add(amount) }

    package func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.store(0, ordering: .relaxed)
    }

    package var value: Double {
        Double(whole.load(ordering: .relaxed)) + Double(bitPattern: fraction.load(ordering: .relaxed))
    }
}

/// A value that goes up and down.
package final class PrometheusGauge: MeterHandler, RecorderHandler, Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    package func set(_ value: Int) { set(Double(value)) }
    package func set(_ value: Int64) { set(Double(value)) }
    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package func increment(by amount: Double) { bits.add(amount) }
    package func decrement(by amount: Double) { bits.add(-amount) }
    package func record(_ value: Int64) { set(Double(value)) }
    package func record(_ value: Double) { set(value) }

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How often values fell below each of some fixed bounds.
package final class PrometheusHistogram: RecorderHandler, TimerHandler, Sendable {
    package struct Snapshot: Equatable, Sendable {
        /// Per bucket, not yet cumulative; the last one is +Inf.
        package var counts: [UInt64]
        package var sum: Double
        package var count: UInt64 { counts.reduce(0, +) }
    }

    /// Rising upper bounds, without +Inf.
    package let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds must rise")
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    package func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    package func record(_ value: Int64) { record(Double(value)) }

    /// Prometheus counts time in seconds.
    package func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    package func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        record(Double(seconds) + Double(attoseconds) / 1e18)
    }

    package var snapshot: Snapshot { state.withLock { $0 } }
}

extension Atomic<UInt64> {
    /// Adds to the Double whose bits are stored here.
    fileprivate func add(_ amount: Double) {
        var current = load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = compareExchange(expected: current, desired: next, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }
}
