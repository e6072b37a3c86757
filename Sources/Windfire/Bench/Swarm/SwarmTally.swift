import Histogram

/// Counts what the devices of one helper receive. All of them live on one event loop, and so does this.
final class SwarmTally {
    private let run: UInt32
    private let messages: Int
    private var checks: [SequenceCheck]
    private var latency = Histogram<UInt64>.microseconds
    private var report: SwarmReport
    private let onComplete: () -> Void

    /// - Parameter onComplete: called once, when each device has each message.
    init(run: UInt32, devices: Int, messages: Int, onComplete: @escaping () -> Void) {
        self.run = run
        self.messages = messages
        self.onComplete = onComplete
        checks = Array(repeating: SequenceCheck(), count: devices)
        report = SwarmReport(
            firstAt: Array(repeating: 0, count: messages), lastAt: Array(repeating: 0, count: messages),
            counts: Array(repeating: 0, count: messages))
    }

    /// - Parameter now: of the monotonic clock, in ns.
    func received(_ stamp: BenchPayload.Stamp?, device: Int, now: UInt64) {
        guard let stamp, stamp.run == run, stamp.sequence >= 0, stamp.sequence < messages else {
            report.foreign += 1
            return
        }
        switch checks[device].received(stamp.sequence) {
        case .duplicate:
            report.duplicated += 1
            return
        case .reordered: report.reordered += 1
        case .new: break
        }
        let push = Int(stamp.sequence)
        report.unique += 1
        report.counts[push] += 1
        if report.firstAt[push] == 0 { report.firstAt[push] = now }
        report.lastAt[push] = now
        latency.record(nanoseconds: now - min(now, stamp.nanoseconds))
        if report.unique == checks.count * messages { onComplete() }
    }

    func ended(number: Int) { report.ended[number, default: 0] += 1 }

    func current() -> SwarmReport {
        var report = report
        report.latency = latency.sparse
        return report
    }
}
