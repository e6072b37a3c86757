// `windfire bench push`: many devices in helper processes, one push to all of them, and where the time went.

import ArgumentParser
import Foundation

struct BenchPushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Connect many devices, push to the list of all of them, and measure.",
        discussion: """
            The devices live in helper processes of this executable, up to 15,000 in each, and connect from addresses \
            127.0.0.2 and up, so the services must be on this machine. Give the processes of the services with \
            --server-pid to have their CPU and memory measured. Latency is from just before the POST to the read of \
            the message, by one monotonic clock. A list of more than 1,000 ids becomes a job: its end, and with \
            --stored the last acknowledgement it counted, are asked for 50 times a second.

            A node admits 500 connections a second by default; refusals are counted and tried again. To measure \
            logins, start the push servers with --limits-accepts-per-second-max and --limits-accepts-burst-max raised.
            """)

    @Option(help: "Devices to connect, each of a client of its own.")
    var devices = 1_000

    @Option(help: "Pushes to the list of all devices, one after the other.")
    var messages = 10

    @Flag(help: "Store the messages; the devices acknowledge each.")
    var stored = false

    @Option(help: "Address of the Redis in use, as in `routes`, to have its commands counted.")
    var redis: String?

    @Option(help: "Bytes of each payload, from 64.")
    var payload = 100

    @Option(help: "Pushes per second; without it, each push follows the receipt of the one before.")
    var rate: Double?

    @Option(name: .customLong("offline-ids"), help: "Ids added to each push that are not online.")
    var offlineIDs = 0

    @Option(help: "The secret of all clients.")
    var secret = "dev"

    @Option(help: "Logins under way at once, over all helpers.")
    var concurrency = 64

    @Option(help: "Seconds to wait for stragglers after the last push.")
    var settle = 10.0

    @Option(help: "Process ids of the services, to be measured.")
    var serverPid: [Int32] = []

    @Option(help: "Loopback addresses to connect from; one holds at most 28,000 connections to one port.")
    var sourceAddresses: Int?

    @Option(help: "Seconds that the connections stay idle before memory is read.")
    var idle = 3.0

    @OptionGroup var auth: AuthOptions
    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(devices) else { throw ValidationError("--devices is from 1 to 1,000,000") }
        guard (0...100_000).contains(messages) else { throw ValidationError("--messages is from 0 to 100,000") }
        guard (64...262_144).contains(payload) else { throw ValidationError("--payload is from 64 to 262,144") }
        guard rate.map({ $0 > 0 }) ?? true else { throw ValidationError("--rate is above 0") }
        guard offlineIDs >= 0, devices + offlineIDs <= 1_000_000 else {
            throw ValidationError("one push takes at most 1,000,000 ids")
        }
        guard (1...10_000).contains(concurrency) else { throw ValidationError("--concurrency is from 1 to 10,000") }
        guard sourceAddresses.map({ (1...250).contains($0) }) ?? true else {
            throw ValidationError("--source-addresses is from 1 to 250")
        }
    }

    func run() async throws {
        let report = try await PushBench(options: self).run()
        if output.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            Output.line(json: try encoder.encode(report))
        } else {
            Output.line(report.text)
        }
        guard report.deliveries.lost == 0, report.deliveries.duplicated == 0 else {
            throw CommandFailure("deliveries were lost or duplicated")
        }
    }
}
