import TestKit
import Testing

extension EndToEnd {
    /// The Python `websockets` package knows nothing of us: what it understands is the documented protocol.
    @Test(.timeLimit(.minutes(1))) func aForeignWebSocketClientIsServed() async throws {
        try await onCluster { cluster in
            let grant = try await cluster.token("foreign", device: "python")
            let url = try #require(grant.node.endpoints.ws)
            let folder = try TemporaryFolder("foreign")
            let python = try ChildProcess(
                "\(Repository.root)/.venv/bin/python",
                ["\(Repository.root)/Tests/EndToEndTests/Clients/listen.py", url], name: "python",
                environment: ["TOKEN": grant.token], logPath: folder.path("log"))

            _ = try await python.line(containing: "welcome foreign python \(grant.node.id)")
            let receipt = try await cluster.push(["foreign"], data: ["text": "grüße"])
            #expect(receipt.delivered == 1)
            _ = try await python.line(containing: "message \(receipt.id) grüße")
            _ = try await python.line(containing: "pong to an op")
            _ = try await python.line(containing: "pong to a frame")
            #expect(await python.waitForExit() == .code(0))
            _ = try await python.line(containing: "closed 1000")
            try await eventually("its route is released") { try await !cluster.client("foreign").online }
        }
    }
}
