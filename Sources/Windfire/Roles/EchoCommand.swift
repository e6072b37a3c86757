import ArgumentParser
import Common
import PushServer

/// `windfire bench ws-echo`: a plain echo through the codec and handler of the push server, for conformance suites.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ws-echo", abstract: "Echo WebSocket messages, for conformance suites.")

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 9001

    func run() async throws {
        try await started {
            let logger = RoleRunner.logger(for: "ws-echo", .defaults)
            try await EchoEndpoint.run(host: host, port: port, logger: logger) { port in
                Output.line("echo on ws://\(host):\(port)/v1/connect")
            }
        }
    }
}
