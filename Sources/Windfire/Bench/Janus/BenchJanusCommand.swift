// `windfire bench janus`: the benchmark of hotwheels, in its own words, against anything that speaks its protocol.

import ArgumentParser
import Common
import Foundation

struct BenchJanusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "janus",
        abstract: "hotwheels' benchmark: bots subscribe, one message is published, and who saw it when.",
        discussion: """
            Each bot connects, waits for the greeting, subscribes and waits for its ACK. When all have theirs, a new \
            connection publishes one message. A bot is good when it sees exactly that message, and bad when 5 s pass. \
            A push server needs `push.janus-anonymous`, with the topic in `push.janus-subscribe` and \
            `push.janus-publish`. One address holds at most 28,000 connections to one port.
            """)

    @Option(help: "Where Janus is spoken.")
    var host = "127.0.0.1"

    @Option(help: "The port: 8081 by tradition, or any port for devices.")
    var port = 8081

    @Option(help: "How many bots.")
    var bots = 1_000

    @Option(help: "What they subscribe to.")
    var topic = "events"

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100_000).contains(bots) else { throw ValidationError("--bots is from 1 to 100,000") }
        guard (1...65_535).contains(port) else { throw ValidationError("--port is from 1 to 65535") }
        do throws(WindfireError) { _ = try Topic(topic) } catch { throw ValidationError(error.message) }
    }

    func run() async throws {
        try await started {
            let report = try await JanusBench(host: host, port: port, bots: bots, topic: topic).run()
            if output.json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                Output.line(json: try encoder.encode(report))
            } else {
                Output.line(report.text)
            }
            guard report.bad == 0 else { throw CommandFailure("\(report.bad) bots did not see the message") }
        }
    }
}
