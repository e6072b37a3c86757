import ArgumentParser
import TestKit
import Testing

@testable import Windfire

/// `--help` is pasted into tickets and seen over shoulders: it must not show what secret variables hold.
@Suite struct SecretHelpTests {
    private static let variables = ["WINDFIRE_KEY": "sentinel-key-7f3a", "WINDFIRE_SECRET": "sentinel-secret-91bc"]

    /// The words of every command there is, from the tree itself: a new command is held to it as well.
    private static func commands(_ type: any ParsableCommand.Type, _ words: [String] = []) -> [[String]] {
        [words] + type.configuration.subcommands.flatMap { commands($0, words + [$0._commandName]) }
    }

    @Test(arguments: commands(Windfire.self)) func helpShowsNoSecret(_ words: [String]) async throws {
        let (exit, output) = try await WindfireBinary.run(words + ["--help"], environment: Self.variables)
        #expect(exit == .code(0))
        #expect(output.contains("USAGE:"))
        for secret in Self.variables.values { #expect(!output.contains(secret), "\(words)") }
    }

    @Test func aGivenSecretIsTaken() throws {
        let command = try SubscribeCommand.parse(["--client", "alice", "--secret", "given"])
        #expect(command.secret.text == "given")
        #expect(!"\(command.secret)".contains("given"))
    }
}
