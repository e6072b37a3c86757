import PushClient
import Synchronization
import TestKit

/// A device that follows topics with the project's own client library, and notes the numbers it hears.
final class TopicListener: Sendable {
    let client: String
    private let push: PushClient
    private let note = Note()
    private let listening: Task<Void, Never>

    /// Reached from the listening task, which must not keep the listener itself alive.
    private final class Note: Sendable {
        let heard = Mutex<[Int]>([])
    }

    init(_ client: String, on cluster: WindfireCluster) {
        self.client = client
        let login = PushClient.Configuration.Login.provider {
            try PushClient.Assignment(json: try await cluster.tokenAnswer(client).body)
        }
        let push = PushClient(configuration: PushClient.Configuration(login: login))
        self.push = push
        listening = Task { [note] in
            for await message in push.messages {
                guard let number = try? message.decode(as: Int.self) else { continue }
                note.heard.withLock { $0.append(number) }
            }
        }
    }

    deinit { listening.cancel() }

    /// The numbers, as they came.
    var heard: [Int] { note.heard.withLock { $0 } }

    /// The node it is connected to now.
    var node: String? {
        if case .connected(let node) = push.state { node } else { nil }
    }

    func follow(_ topic: String) async throws {
        await push.start()
        try await push.subscribe(to: topic)
        try await eventually(within: .seconds(60), "\(client) follows \(topic)") {
            await push.subscription(to: topic)?.isStanding == true
        }
    }

    /// Messages that can never be had any more.
    func missed(of topic: String) async -> Int { await push.subscription(to: topic)?.missed ?? 0 }

    func leave(_ topic: String) async throws { try await push.unsubscribe(from: topic) }

    func close() async { await push.close() }
}
