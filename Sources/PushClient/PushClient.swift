import Foundation
import Logging
import NIOCore
import NIOPosix

/// A device of the push system: gets a token, dials the node it is given, stays connected, and hands out messages.
///
/// ```swift
/// let client = PushClient(configuration: .init(login: .secret(
///     service: "https://auth.example", client: "alice", device: "phone", secret: "…")))
/// await client.start()
/// for await message in client.messages {
///     print(message.id, String(decoding: message.data, as: UTF8.self))
///     await client.acknowledge(message)
/// }
/// ```
///
/// It comes back by itself after losses, as patiently as the server asks, and closes for good when the server does not
/// want it back or the credentials are refused; `states` tells. Closed clients are not started again: make a new one.
///
/// The actor runs on one event loop, which also owns its connection: nothing is queued between socket and actor, and
/// what to do is decided by `ClientStateMachine`, which is a value.
public actor PushClient {
    /// What was pushed, each message once.
    public nonisolated let messages: Messages

    nonisolated let loop: any EventLoop
    nonisolated let broadcast = StateBroadcast()
    /// One for each subscription that may be, and some.
    nonisolated let notices = Broadcast<TopicNotice>(bufferMax: 2 * Subscriptions.countMax)
    let configuration: Configuration
    let dialer: Dialer
    let tokens: TokenService
    let queue: MessageQueue
    let logger: Logger

    /// Why there is no connection: the last thing that went wrong. Nil while connected, and before anything failed.
    ///
    /// The client goes on trying by itself whatever this says, until `state` is `closed`. A failure of kind `untrusted`
    /// should still reach a person: either the certificate or `trustRootsFile` is wrong, or somebody is in between.
    public internal(set) var lastFailure: PushClientError?

    var machine: ClientStateMachine
    var wires: [Int: Wire] = [:]
    /// The last `error` frame of a connection: what its coming close means.
    var refusals: [Int: ServerFrame.Refusal] = [:]
    var recent = RecentIDs()
    var cursor: InboxCursor
    /// Stored messages that this device never gets: its inbox was full, and they were the oldest. Told by the server,
    /// counted since the start of this client.
    public internal(set) var missedMessages = 0
    var isReadingPaused = false
    /// The latest acknowledgement that could not be sent yet. One is enough: they are cumulative.
    var heldAcknowledgement: String?
    var refs = Refs()
    var requests = Requests()
    var subscriptions = Subscriptions()
    var waiters = SubscribeWaiters()
    var timer: (at: ContinuousClock.Instant, task: Scheduled<Void>)?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    /// - Parameter logger: told of connections and failures at `debug`; silent when nil.
    public init(configuration: Configuration, logger: Logger? = nil) {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let queue = MessageQueue(countMax: max(1, configuration.bufferedMessagesMax))
        self.loop = loop
        self.configuration = configuration
        self.queue = queue
        self.logger = logger ?? Logger(label: "windfire.client") { _ in SwiftLogNoOpLogHandler() }
        messages = Messages(queue: queue)
        dialer = Dialer(
            loop: loop, connectTimeout: configuration.connectTimeout, trustRootsFile: configuration.trustRootsFile)
        tokens = TokenService(configuration)
        cursor = InboxCursor(saved: configuration.cursorStore?.load())
        machine = ClientStateMachine(welcomeTimeout: configuration.welcomeTimeout)
        queue.onResume { [weak self] in
            guard let client = self else { return }
            loop.execute { client.assumeIsolated { $0.setReading(true) } }
        }
    }

    deinit {
        timer?.task.cancel()
        for wire in wires.values { wire.drop() }
        queue.finish()
        notices.finish()
    }

    /// Connects, and keeps connected from then on. A second call changes nothing.
    public func start() { perform(machine.start()) }

    /// Says goodbye and ends `messages` and `states`. Requests that wait for an answer fail.
    public func close() { perform(machine.close()) }

    /// Where the client stands now.
    public nonisolated var state: State { broadcast.current }

    /// The state now, and each change; ends after `closed`.
    public nonisolated var states: AsyncStream<State> { broadcast.stream() }

    /// Tells the server that this message and all before it were dealt with. Without a connection it is told after the
    /// next welcome. Messages of topics need no acknowledgement, and none is sent for them.
    public func acknowledge(_ message: Message) {
        guard message.topic == nil || message.wantsAcknowledgement else { return }
        acknowledge(upTo: message.id)
    }

    /// - Parameter id: of a message of this client.
    public func acknowledge(upTo id: String) {
        if cursor.acknowledge(id), let text = cursor.text { configuration.cursorStore?.save(text) }
        if let wire = activeWire {
            wire.send(.acknowledge(id: id))
        } else {
            heldAcknowledgement = id
        }
    }

    /// Sends to another client, where the token allows it.
    /// - Parameter data: one JSON value, at most 64 KiB unless the server is configured otherwise.
    /// - Returns: how many of the other client's connections it was written to; 0 when it is offline.
    /// - Throws: `PushClientError`: `notConnected`, `refused` with the server's code, `timedOut`, `invalidInput`.
    @discardableResult
    public func send(to client: String, data: [UInt8]) async throws -> Int {
        guard ClientFrame.isJSONValue(data) else { throw PushClientError(.invalidInput, "the data is not JSON") }
        return try await request { ref in .send(to: client, data: data, ref: ref) }
    }

    /// Asks the server for a sign of life.
    /// - Returns: the time it took.
    /// - Throws: `PushClientError`: `notConnected`, `timedOut`.
    public func ping() async throws -> Duration {
        let start = ContinuousClock.now
        _ = try await request(isPing: true) { _ in .ping }
        return start.duration(to: .now)
    }
}
