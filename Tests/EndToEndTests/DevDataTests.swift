import Foundation
import PushClient
import Synchronization
import TestKit
import Testing

/// `windfire dev --data-dir`: one process that keeps what it promised in a folder.
@Suite(.serialized) struct DevDataTests {
    @Test(.timeLimit(.minutes(2)), arguments: [true, false])
    func storedMessagesOutliveTheProcess(isKilled: Bool) async throws {
        let folder = try TemporaryFolder("dev")
        let base = try FreePorts.base(offsets: [0, 100, 200, 201, 202])
        let cursor = KeptText()
        var dev = try await start(in: folder, base)
        #expect(try await shown(to: cursor, base, until: []) == [])
        for number in 1...3 { try await store(number, base) }
        #expect(try await shown(to: cursor, base, until: [1, 2, 3]) == [1, 2, 3])
        for number in 4...9 { try await store(number, base) }

        if isKilled { dev.kill() } else { dev.kill(SIGTERM) }
        _ = await dev.waitForExit()
        dev = try await start(in: folder, base)
        #expect(try await shown(to: cursor, base, until: [4, 5, 6, 7, 8, 9]) == [4, 5, 6, 7, 8, 9])
        #expect(await dev.end(grace: .seconds(20)) == .code(0))
    }

    private func start(in folder: borrowing TemporaryFolder, _ base: Int) async throws -> ChildProcess {
        let process = try WindfireBinary.start(
            ["dev", "--data-dir", folder.path("data"), "--port-base", "\(base)"], name: "dev", environment: [:],
            logPath: folder.path("dev.log"))
        try await eventually(within: .seconds(60), "dev is ready") {
            let urls = ["http://127.0.0.1:\(base)/readyz", "http://127.0.0.1:\(base + 100)/readyz"]
            for url in urls where try await HTTPCall(url: url, timeout: .seconds(5)).answer().status != 200 {
                return false
            }
            return true
        }
        return process
    }

    private func store(_ number: Int, _ base: Int) async throws {
        struct Body: Encodable {
            let to = ["clients": ["alice"]]
            let data: Int
            let mode = "stored"
        }
        _ = try await HTTPCall(
            "POST", url: "http://127.0.0.1:\(base + 100)/v1/push", bearer: "dev", json: Body(data: number)
        ).answer().expect(200)
    }

    /// Connects, acknowledges what comes until it is all there, and leaves.
    private func shown(to cursor: KeptText, _ base: Int, until wanted: [Int]) async throws -> [Int] {
        var configuration = PushClient.Configuration(
            login: .secret(service: "http://127.0.0.1:\(base)", client: "alice", device: "phone", secret: "dev"))
        configuration.cursorStore = cursor
        let push = PushClient(configuration: configuration)
        await push.start()
        try await eventually(within: .seconds(30), "it is connected") {
            if case .connected = push.state { true } else { false }
        }
        var shown: [Int] = []
        var messages = push.messages.makeAsyncIterator()
        while shown.count < wanted.count, let message = await messages.next() {
            shown.append(try message.decode(as: Int.self))
            await push.acknowledge(message)
        }
        // Asked and answered after the acknowledgements, so that these have arrived.
        _ = try await push.ping()
        await push.close()
        return shown
    }
}

private final class KeptText: CursorStore {
    private let text = Mutex<String?>(nil)
    func load() -> String? { text.withLock { $0 } }
    func save(_ cursor: String) { text.withLock { $0 = cursor } }
}
