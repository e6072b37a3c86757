// `windfire bench`: each subcommand is a load of its own kind.

import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Load, with histograms.",
        subcommands: [
            BenchPushCommand.self, BenchLocateCommand.self, BenchSwarmCommand.self, BenchJanusCommand.self,
            EchoCommand.self,
        ])
}
