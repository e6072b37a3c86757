import ArgumentParser
import Common
import Crypto
import Foundation
import PushClient
import Testing

@testable import Windfire

@Suite struct CommandTests {
    @Test func `a table aligns texts to the left and numbers to the right`() {
        var table = TextTable("name", "count")
        table.add("alice", "7")
        table.add("bo", "1234")
        #expect(table.text == "name   count\nalice      7\nbo      1234")
    }

    @Test func `a new key's hash is what the configuration takes, and no two keys are equal`() throws {
        let (key, entry) = KeyCommand.make(name: "shop", role: .push)
        #expect(key.hasPrefix("wf_"))
        #expect(key.count == 67)
        let hash = SHA256.hash(data: Data(key.utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(entry.sha256Hex == hash)
        let configuration = try Configuration.resolve(flags: ["--api-keys", entry.description])
        #expect(configuration.api.keys == [entry])
        #expect(KeyCommand.make(name: "shop", role: .push).key != key)
    }

    @Test func `the body of a push is JSON, whatever the ids hold`() throws {
        let body = try PushBody.make(clients: ["a", "q\"\\é"], data: Array(#"{"hi":1}"#.utf8))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any])
        #expect((object["to"] as? [String: [String]])?["clients"] == ["a", "q\"\\é"])
        #expect((object["data"] as? [String: Int]) == ["hi": 1])
    }

    @Test func `a message is one line of JSON`() {
        let message = PushClient.Message(
            id: "1-0", data: Array(#"{"a":1}"#.utf8), timestamp: 17, from: "b\"ob", wantsAcknowledgement: false)
        #expect(SubscribeCommand.line(of: message) == #"{"id":"1-0","ts":17,"from":"b\"ob","data":{"a":1}}"#)
    }

    @Test(arguments: [
        ["push", "--to", "a"], ["push", "--data", "1"], ["push", "--to", "a", "--data", "hello"],
        ["push", "--to", "a", "--file", "f", "--data", "1"], ["key", "a b"], ["key", "x", "--role", "root"],
        ["subscribe"], ["subscribe", "--client", "a", "--count", "0"], ["client"], ["nope"],
        ["bench", "push", "--devices", "0"], ["bench", "push", "--payload", "5"], ["bench", "locate"],
        ["bench", "locate", "--routes", "redis://127.0.0.1", "--rounds", "0"], ["config", "--role", "king"],
    ])
    func `wrong usage is refused with exit code 64`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try Windfire.parseAsRoot(arguments) }
        if let error { #expect(Windfire.exitCode(for: error).rawValue == 64) }
    }

    @Test func `the bench understands its options, and its helpers those it is given`() throws {
        let push = try Windfire.parseAsRoot([
            "bench", "push", "--offline-ids", "7", "--server-pid", "1", "--rate", "2.5",
        ])
        #expect((push as? BenchPushCommand)?.offlineIDs == 7)
        let arguments = PushBench(options: try #require(push as? BenchPushCommand)).helperArguments(
            first: 3, count: 5, of: 2)
        let swarm = try #require(try Windfire.parseAsRoot(arguments) as? BenchSwarmCommand)
        #expect(swarm.first == 3)
        #expect(swarm.count == 5)
        #expect(swarm.concurrency == 32)
    }

    @Test func `flags of the configuration reach the loader as they stand`() throws {
        let command = try Windfire.parseAsRoot([
            "config", "--role", "push-server", "--push-listen", "0.0.0.0:1", "--node-id=n1",
        ])
        let config = try #require(command as? ConfigCommand)
        #expect(config.keys.flags == ["--push-listen", "0.0.0.0:1", "--node-id=n1"])
        #expect(try config.keys.load(role: config.role).push.listen.port == 1)
    }

    @Test func `a failure is shown without the place in the source`() {
        #expect(CommandFailure(WindfireError(.noNode, "none is up")).description == "no_node: none is up")
    }
}
