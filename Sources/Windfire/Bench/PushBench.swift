import Common
import Foundation
import Histogram
import NIOCore

/// The run of `bench push`: start the helpers, wait for the logins, read the servers, push, collect.
struct PushBench {
    let options: BenchPushCommand
    let runID = UInt32.random(in: 1 ... .max)

    func run() async throws -> BenchReport {
        let servers = try options.serverPid.map(ServerProcess.init)
        let before = try ServerReadings(servers)
        let start = NIODeadline.now()
        let helpers = try startHelpers()
        defer { for helper in helpers { helper.kill() } }
        note("connecting \(options.devices) devices in \(helpers.count) processes …")
        var logins: [SwarmLogins] = []
        for helper in helpers { logins.append(try await helper.logins()) }
        let loginSeconds = seconds(start, .now())
        let connected = try ServerReadings(servers)

        // Until the turmoil of the logins has settled, so that it is the idle sessions that are measured.
        try await Task.sleep(for: .seconds(options.idle))
        let idle = try ServerReadings(servers)
        let countsBefore = try await commandCounts()
        let pushes = try await push(to: helpers)
        let countsAfter = try await commandCounts()
        let after = try ServerReadings(servers)
        var reports: [SwarmReport] = []
        for helper in helpers { reports.append(try await helper.report()) }
        for helper in helpers { helper.stop() }

        let deliveries = summary(of: reports)
        return BenchReport(
            logins: summary(of: logins, seconds: loginSeconds),
            pushes: pushes.map { summary(of: $0, reports) },
            deliveries: deliveries,
            redis_commands_per_message: perMessage(countsBefore, countsAfter),
            servers: servers.compactMap { server in
                guard let before = before.readings[server.id], let connected = connected.readings[server.id],
                    let idle = idle.readings[server.id], let after = after.readings[server.id]
                else { return nil }
                let loginCPU = Double(connected.cpuNanoseconds - before.cpuNanoseconds) / 1_000
                let pushCPU = Double(after.cpuNanoseconds - idle.cpuNanoseconds) / 1_000
                let growth = Double(idle.residentBytes) - Double(before.residentBytes)
                return BenchReport.Server(
                    pid: server.id, role: server.role, cpu_us_per_login: loginCPU / Double(options.devices),
                    cpu_us_per_delivery: deliveries.received == 0 ? nil : pushCPU / Double(deliveries.received),
                    rss_before_bytes: before.residentBytes, rss_idle_bytes: idle.residentBytes,
                    rss_after_bytes: after.residentBytes, rss_bytes_per_device: growth / Double(options.devices))
            })
    }

    /// Ids of this run only: two runs on one system do not displace each other.
    private var prefix: String { "bench-\(String(runID, radix: 16))-" }

    private func startHelpers() throws -> [SwarmHelper] {
        let helpers = (options.devices + SwarmHelper.devicesMax - 1) / SwarmHelper.devicesMax
        return try (0..<helpers).map { helper in
            let first = options.devices * helper / helpers
            let count = options.devices * (helper + 1) / helpers - first
            return try SwarmHelper(arguments: helperArguments(first: first, count: count, of: helpers), devices: count)
        }
    }

    /// The command line of one of so many helpers.
    func helperArguments(first: Int, count: Int, of helpers: Int) -> [String] {
        let addresses = options.sourceAddresses ?? max(1, (options.devices + 9_999) / 10_000)
        return [
            "bench", "swarm", "--auth", options.auth.url, "--secret", options.secret, "--prefix", prefix,
            "--first", "\(first)", "--count", "\(count)", "--messages", "\(options.messages)",
            "--run-id", "\(runID)", "--concurrency", "\(max(1, options.concurrency / helpers))",
            "--source-addresses", "\(addresses)",
        ] + (options.stored ? ["--acknowledge"] : [])
    }

    /// Times of the pushes, by number, in ns of the monotonic clock.
    private struct Sent {
        var startedAt: [UInt64] = []
        var answers = Histogram<UInt64>.microseconds
        /// Of those that became jobs: to the end of the job, and to the last acknowledgement it counted.
        var ends = Histogram<UInt64>.microseconds
        var acknowledgements = Histogram<UInt64>.microseconds
        var timing: [String: Double] = [:]
    }

    private func push(to helpers: [SwarmHelper]) async throws -> Sent? {
        guard options.messages > 0 else { return nil }
        let ids =
            (0..<options.devices).map { prefix + String($0) }
            + (0..<options.offlineIDs).map { prefix + "offline-" + String($0) }
        // The list is the same each time: it is written once.
        let template = try PushBody(data: [], mode: options.stored ? "stored" : nil).json(clients: ids)
        let head =
            template.getSlice(at: template.readerIndex, length: template.readableBytes - 1) ?? template
        note("pushing \(options.messages) times to \(ids.count) ids …")
        var sent = Sent()
        let begin = ContinuousClock.now
        for sequence in 0..<options.messages {
            if let rate = options.rate {
                try await Task.sleep(until: begin + .seconds(Double(sequence) / rate))
            }
            var body = head
            body.reserveCapacity(head.readableBytes + options.payload + 1)
            let started = NIODeadline.now().uptimeNanoseconds
            body.writeBytes(
                BenchPayload.make(run: runID, sequence: sequence, nanoseconds: started, byteCount: options.payload))
            body.writeString("}")
            let answer = try await options.route.client.post("/v1/push?timing=1", body, timeout: .seconds(300))
            sent.answers.record(nanoseconds: NIODeadline.now().uptimeNanoseconds - started)
            sent.startedAt.append(started)
            if let job = try? APIClient.decode(answer, as: AcceptedJob.self) {
                try await follow(job.id, since: started, &sent)
                continue
            }
            let receipt: Receipt = try APIClient.decode(answer)
            for (part, milliseconds) in receipt.timing_ms ?? [:] {
                sent.timing[part, default: 0] += milliseconds / Double(options.messages)
            }
        }
        await settle(helpers)
        return sent
    }

    /// To the end of the job, and of its acknowledgements as far as they come in time.
    private func follow(_ job: String, since started: UInt64, _ sent: inout Sent) async throws {
        var hasEnded = false
        let giveUp = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < giveUp {
            let progress = try APIClient.decode(
                try await options.route.client.get("/v1/jobs/\(job)"), as: JobProgress.self)
            let now = NIODeadline.now().uptimeNanoseconds
            if progress.isEnded, !hasEnded {
                hasEnded = true
                sent.ends.record(nanoseconds: now - started)
            }
            if hasEnded, !options.stored { return }
            if hasEnded, progress.acknowledged >= options.devices {
                return sent.acknowledgements.record(nanoseconds: now - started)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CommandFailure("job \(job) did not come to its end within 300 s")
    }

    // MARK: Redis

    private func commandCounts() async throws -> [String: Int] {
        guard let address = options.redis else { return [:] }
        let store = try Engines.redisStore(at: address, logger: RoleRunner.logger(for: "bench", .defaults))
        do throws(WindfireError) {
            let counts = try await store.commandCounts()
            await store.shutDown()
            return counts
        } catch {
            await store.shutDown()
            throw error
        }
    }

    private func perMessage(_ before: [String: Int], _ after: [String: Int]) -> [String: Double]? {
        let messages = options.messages * options.devices
        guard options.redis != nil, messages > 0 else { return nil }
        return after.reduce(into: [:]) { found, count in
            let share = Double(count.value - before[count.key, default: 0]) / Double(messages)
            if share >= 0.0005 { found[count.key] = share }
        }
    }

    /// Until each helper has everything, or the time for stragglers is over.
    private func settle(_ helpers: [SwarmHelper]) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for helper in helpers { await helper.complete() }
            }
            group.addTask { [options] in try? await Task.sleep(for: .seconds(options.settle)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func summary(of logins: [SwarmLogins], seconds: Double) -> BenchReport.Logins {
        var (tokens, dials, whole) = (
            Histogram<UInt64>.microseconds, Histogram<UInt64>.microseconds, Histogram<UInt64>.microseconds
        )
        for helper in logins {
            tokens.add(sparse: helper.tokens)
            dials.add(sparse: helper.dials)
            whole.add(sparse: helper.logins)
        }
        return BenchReport.Logins(
            devices: options.devices, seconds: seconds, per_second: Double(options.devices) / seconds,
            refusals: logins.reduce(0) { $0 + $1.refusals }, token: Distribution(tokens),
            connect: Distribution(dials), whole: Distribution(whole))
    }

    private func summary(of reports: [SwarmReport]) -> BenchReport.Deliveries {
        var latency = Histogram<UInt64>.microseconds
        for report in reports { latency.add(sparse: report.latency) }
        let expected = options.devices * options.messages
        let received = reports.reduce(0) { $0 + $1.unique }
        let ended = reports.reduce(into: [Int: Int]()) { $0.merge($1.ended, uniquingKeysWith: +) }
        return BenchReport.Deliveries(
            expected: expected, received: received, lost: expected - received,
            duplicated: reports.reduce(0) { $0 + $1.duplicated }, reordered: reports.reduce(0) { $0 + $1.reordered },
            foreign: reports.reduce(0) { $0 + $1.foreign },
            ended: Dictionary(uniqueKeysWithValues: ended.map { ("\($0.key)", $0.value) }),
            latency: Distribution(latency))
    }

    private func summary(of sent: Sent, _ reports: [SwarmReport]) -> BenchReport.Pushes {
        var (first, last) = (Histogram<UInt64>.microseconds, Histogram<UInt64>.microseconds)
        var busy: UInt64 = 0
        var received = 0
        for (push, started) in sent.startedAt.enumerated() {
            let firstAt = reports.map { $0.firstAt[push] }.filter { $0 > 0 }.min()
            guard let firstAt, let lastAt = reports.map({ $0.lastAt[push] }).max() else { continue }
            first.record(nanoseconds: firstAt - min(firstAt, started))
            last.record(nanoseconds: lastAt - min(lastAt, started))
            busy += lastAt - min(lastAt, started)
            received += reports.reduce(0) { $0 + $1.counts[push] }
        }
        return BenchReport.Pushes(
            count: options.messages, targets: options.devices + options.offlineIDs, payload_bytes: options.payload,
            deliveries_per_second: busy == 0 ? 0 : Double(received) / (Double(busy) / 1e9),
            answer: Distribution(sent.answers), job_end: sent.ends.totalCount > 0 ? Distribution(sent.ends) : nil,
            last_acknowledgement: sent.acknowledgements.totalCount > 0 ? Distribution(sent.acknowledgements) : nil,
            first_receipt: Distribution(first), last_receipt: Distribution(last),
            timing_ms: sent.timing)
    }

    private func seconds(_ from: NIODeadline, _ to: NIODeadline) -> Double { Double((to - from).nanoseconds) / 1e9 }

    /// Progress goes to standard error, so that `--json` stays clean.
    private func note(_ text: String) { Output.note(text) }
}
