import Foundation

/// What `bench push` found. The field names are those of `--json`.
struct BenchReport: Encodable {
    struct Logins: Encodable {
        let devices: Int
        let seconds: Double
        let per_second: Double
        /// Attempts that were turned away and tried again.
        let refusals: Int
        let token: Distribution
        /// From the dial to the welcome.
        let connect: Distribution
        let whole: Distribution
    }

    struct Pushes: Encodable {
        let count: Int
        let targets: Int
        let payload_bytes: Int
        let deliveries_per_second: Double
        /// From just before the POST to its answer, to the first device's receipt, and to the last's.
        let answer: Distribution
        /// Of pushes that became jobs: from the POST to the end, and to the last acknowledgement that was counted.
        let job_end: Distribution?
        let last_acknowledgement: Distribution?
        let first_receipt: Distribution
        let last_receipt: Distribution
        /// What the route server says of the parts, in ms, as a mean over the pushes.
        let timing_ms: [String: Double]
    }

    struct Deliveries: Encodable {
        let expected: Int
        let received: Int
        let lost: Int
        let duplicated: Int
        let reordered: Int
        let foreign: Int
        /// Connections that ended, by close number.
        let ended: [String: Int]
        let latency: Distribution
    }

    struct Server: Encodable {
        let pid: Int32
        let role: String
        let cpu_us_per_login: Double
        let cpu_us_per_delivery: Double?
        let rss_before_bytes: UInt64
        let rss_idle_bytes: UInt64
        let rss_after_bytes: UInt64
        /// Growth from before the logins to the idle connections, over all devices; for push servers of one node the
        /// memory of a session.
        let rss_bytes_per_device: Double
    }

    let logins: Logins
    let pushes: Pushes?
    let deliveries: Deliveries
    /// By name; those inside of scripts count, too.
    let redis_commands_per_message: [String: Double]?
    let servers: [Server]

    var text: String {
        var parts = [
            "logins      \(logins.devices) in \(fixed(logins.seconds, 2)) s, \(fixed(logins.per_second, 0))/s, "
                + "\(logins.refusals) refused and tried again"
        ]
        if let pushes {
            parts.append(
                "pushes      \(pushes.count) to \(pushes.targets) ids, \(pushes.payload_bytes) bytes, "
                    + "\(fixed(pushes.deliveries_per_second, 0)) deliveries/s")
            parts.append(
                "deliveries  \(deliveries.received) of \(deliveries.expected): \(deliveries.lost) lost, "
                    + "\(deliveries.duplicated) duplicated, \(deliveries.reordered) out of order")
        }
        if !deliveries.ended.isEmpty {
            let ended = deliveries.ended.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
            parts.append("ended       \(ended.joined(separator: ", "))")
        }
        parts.append("\n" + times)
        if let timing = pushes?.timing_ms, !timing.isEmpty {
            let words = timing.sorted { $0.key < $1.key }.map { "\($0.key) \(fixed($0.value, 1))" }
            parts.append("\nmean ms of a push at the route server: \(words.joined(separator: ", "))")
        }
        if let commands = redis_commands_per_message {
            let words = commands.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                "\($0.key) \(fixed($0.value, 3))"
            }
            parts.append("\nRedis commands per message: \(words.joined(separator: ", "))")
        }
        if !servers.isEmpty { parts.append("\n" + serverTable) }
        return parts.joined(separator: "\n")
    }

    private var times: String {
        var table = TextTable("ms", "count", "mean", "p50", "p90", "p99", "p99.9", "max")
        func add(_ name: String, _ times: Distribution) {
            let cells = [times.p50_us, times.p90_us, times.p99_us, times.p999_us, times.max_us].map {
                fixed(Double($0) / 1_000, 2)
            }
            table.add(
                name, "\(times.count)", fixed(times.mean_us / 1_000, 2), cells[0], cells[1], cells[2], cells[3],
                cells[4])
        }
        add("token", logins.token)
        add("connect", logins.connect)
        add("login", logins.whole)
        if let pushes {
            add("push answered", pushes.answer)
            add("first receipt", pushes.first_receipt)
            add("last receipt", pushes.last_receipt)
            add("delivery", deliveries.latency)
            if let end = pushes.job_end { add("job's end", end) }
            if let last = pushes.last_acknowledgement { add("last ack counted", last) }
        }
        return table.text
    }

    private var serverTable: String {
        var table = TextTable(
            "role", "pid", "CPU µs/login", "CPU µs/delivery", "RSS before", "idle", "after", "B/device")
        for server in servers {
            table.add(
                server.role, "\(server.pid)", fixed(server.cpu_us_per_login, 1),
                server.cpu_us_per_delivery.map { fixed($0, 2) } ?? "-", mebibytes(server.rss_before_bytes),
                mebibytes(server.rss_idle_bytes), mebibytes(server.rss_after_bytes),
                fixed(server.rss_bytes_per_device, 0))
        }
        return table.text
    }

    private func mebibytes(_ bytes: UInt64) -> String { fixed(Double(bytes) / 1_048_576, 1) + " MiB" }
}
