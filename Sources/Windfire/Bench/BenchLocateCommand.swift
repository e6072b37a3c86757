// `windfire bench locate`: the hot read of a list push alone, on a real Redis.

import ArgumentParser
import Common
import Foundation
import RedisStore

struct BenchLocateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locate",
        abstract: "Look up a list of clients in Redis, and measure.",
        discussion: """
            Fills the Redis with online clients of its own, looks all of them up several times, and takes them out \
            again. Use a Redis that nothing else depends on: a running system would see the clients. The figure to \
            compare with is that of `redis-benchmark -P 50 -n 1000000 HGET key field` on the same server.
            """)

    @Option(help: "Where Redis is: redis://…, rediss://… or redis+cluster://….")
    var routes: String

    @Option(help: "Clients in the list, each with one session.")
    var clients = 100_000

    @Option(help: "How often the whole list is looked up.")
    var rounds = 7

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(clients) else { throw ValidationError("--clients is from 1 to 1,000,000") }
        guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds is from 1 to 1,000") }
    }

    func run() async throws {
        try await started {
            let store = try Engines.redisStore(at: routes, logger: RoleRunner.logger(for: "bench", .defaults))
            do throws(WindfireError) {
                let report = try await LocateBenchmark.run(on: store, clients: clients, rounds: rounds)
                await store.shutDown()
                try show(report)
            } catch {
                await store.shutDown()
                throw error
            }
        }
    }

    private func show(_ report: LocateBenchmark.Report) throws(WindfireError) {
        guard output.json else { return Output.line(Self.table(of: report)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            Output.line(json: try encoder.encode(report))
        } catch {
            throw WindfireError(.internalError, "the report cannot be written as JSON", cause: error)
        }
    }

    static func table(of report: LocateBenchmark.Report) -> String {
        let rates = report.clientsPerSecond
        var table = TextTable("clients", "rounds", "slowest/s", "median/s", "fastest/s", "median ms")
        table.add(
            "\(report.clients)", "\(rates.count)", fixed(rates.min() ?? 0, 0), fixed(report.median, 0),
            fixed(rates.max() ?? 0, 0), fixed(Double(report.clients) / report.median * 1_000, 1))
        return table.text
    }
}
