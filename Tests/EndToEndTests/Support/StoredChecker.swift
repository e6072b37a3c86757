import Foundation
import PushClient
import Synchronization
import TestKit

/// What producers were promised and what devices were shown, to be held against each other in the end.
///
/// Producers push numbered stored messages to one client each call. A call that was answered 2xx is a promise: every
/// device of the client that acknowledges is shown that number, once, and in order with the others that were promised.
/// A call that failed promises nothing: its message may come or not.
final class StoredChecker: Sendable {
    private struct Producer {
        var next = 1
        var promised: [Int] = []
    }

    private let producers = Mutex<[String: Producer]>([:])

    /// The next number for a client. Numbers of a client are pushed one after the other.
    func next(for client: String) -> Int {
        producers.withLock { producers in
            defer { producers[client, default: Producer()].next += 1 }
            return producers[client, default: Producer()].next
        }
    }

    func promise(_ number: Int, to client: String) {
        producers.withLock { $0[client, default: Producer()].promised.append(number) }
    }

    func promised(to client: String) -> [Int] { producers.withLock { $0[client]?.promised ?? [] } }

    var promiseCount: Int { producers.withLock { $0.values.reduce(0) { $0 + $1.promised.count } } }

    /// What is wrong with what a device was shown; nil when every promise is kept.
    func fault(of device: StoredDevice) -> String? {
        let shown = device.shown
        let promised = promised(to: device.client)
        let missing = Set(promised).subtracting(shown)
        if !missing.isEmpty { return "\(device.name) misses \(missing.sorted().prefix(5)) of \(promised.count)" }
        if Set(shown).count != shown.count { return "\(device.name) was shown something twice" }
        // A call that failed may be carried out later than the next one: its message has no place in the order.
        let kept = shown.filter(Set(promised).contains)
        if kept != kept.sorted() { return "\(device.name) was shown \(kept) out of order" }
        return nil
    }
}

/// A device that is dropped and comes back, as an app is closed and opened: what it keeps is its cursor.
final class StoredDevice: Sendable {
    let client: String
    let name: String
    private let device: String
    private let cluster: WindfireCluster
    private let cursor: KeptCursor
    private struct State {
        var push: PushClient?
        var listening: Task<Void, Never>?
        var shown: [Int] = []
    }

    private let state = Mutex(State())

    private final class KeptCursor: CursorStore {
        private let text = Mutex<String?>(nil)
        func load() -> String? { text.withLock { $0 } }
        func save(_ cursor: String) { text.withLock { $0 = cursor } }
    }

    init(_ client: String, device: String, on cluster: WindfireCluster) {
        self.client = client
        self.device = device
        self.cluster = cluster
        name = "\(client)/\(device)"
        cursor = KeptCursor()
    }

    /// The numbers it was shown, in that order.
    var shown: [Int] { state.withLock { $0.shown } }
    /// Whether the app runs, connected or on its way back to a node.
    var isOpen: Bool { state.withLock { $0.push != nil } }
    var isConnected: Bool {
        if case .connected? = state.withLock({ $0.push })?.state { true } else { false }
    }

    /// Opens the app, which must not be open: two of the same device at a time would each keep a cursor of its own.
    func open() async {
        precondition(!isOpen)
        let login = PushClient.Configuration.Login.provider { [cluster, client, device] in
            try PushClient.Assignment(json: try await cluster.tokenAnswer(client, device: device).body)
        }
        var configuration = PushClient.Configuration(login: login)
        configuration.cursorStore = cursor
        let push = PushClient(configuration: configuration)
        let listening = Task { [weak self] in
            for await message in push.messages {
                guard let self, let number = try? message.decode(as: Int.self) else { continue }
                // Shown and dealt with are one step here, as in a transaction of an app's own store.
                self.state.withLock { $0.shown.append(number) }
                await push.acknowledge(message)
            }
        }
        state.withLock { state in
            state.push = push
            state.listening = listening
        }
        await push.start()
    }

    /// Ends its connection, and what it did not acknowledge comes again.
    func drop() async {
        let (push, listening) = state.withLock { state in
            defer { (state.push, state.listening) = (nil, nil) }
            return (state.push, state.listening)
        }
        await push?.close()
        // What it still had to show is shown before it comes back: one app, one after the other.
        await listening?.value
    }
}
