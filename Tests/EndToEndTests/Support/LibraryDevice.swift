import Foundation
import PushClient
import Synchronization
import TestKit

/// A device on the project's own client library: it comes back by itself, acknowledges, and notes what it got.
final class LibraryDevice: Sendable {
    let client: String
    private let push: PushClient
    private let note = Note()
    private let listening: Task<Void, Never>

    /// Reached from the listening task, which must not keep the device itself alive.
    private final class Note: Sendable {
        let received = Mutex<[String: Int]>([:])
    }

    init(_ client: String, on cluster: WindfireCluster) async {
        self.client = client
        let login = PushClient.Configuration.Login.provider {
            try PushClient.Assignment(json: try await cluster.tokenAnswer(client).body)
        }
        let push = PushClient(configuration: PushClient.Configuration(login: login))
        self.push = push
        listening = Task { [note] in
            for await message in push.messages {
                note.received.withLock { $0[message.id, default: 0] += 1 }
                await push.acknowledge(message)
            }
        }
        await push.start()
    }

    deinit { listening.cancel() }

    /// The node it is connected to now.
    var node: String? {
        if case .connected(let node) = push.state { node } else { nil }
    }

    /// How often each message came.
    var messages: [String: Int] { note.received.withLock { $0 } }

    func close() async { await push.close() }

    /// So many devices with names of one prefix, all connected.
    static func connect(_ count: Int, named prefix: String, on cluster: WindfireCluster) async throws -> [LibraryDevice]
    {
        var devices: [LibraryDevice] = []
        for number in 0..<count { devices.append(await LibraryDevice("\(prefix)-\(number)", on: cluster)) }
        try await eventually(within: .seconds(60), "all of \(prefix) are connected") {
            devices.allSatisfy { $0.node != nil }
        }
        return devices
    }
}

extension [LibraryDevice] {
    func close() async { for device in self { await device.close() } }

    var clients: [String] { map(\.client) }

    /// Whether each has got this message, and once.
    func haveEachOnce(_ id: String) -> Bool { allSatisfy { $0.messages[id] == 1 } }
}
