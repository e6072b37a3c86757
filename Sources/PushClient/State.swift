extension PushClient {
    /// Where the client stands.
    public enum State: Hashable, Sendable {
        /// `start` was not called yet.
        case idle
        /// A token is being fetched, or a node dialled.
        case connecting
        /// The node has welcomed us.
        case connected(node: String)
        /// Nothing happens until then.
        case waiting(until: ContinuousClock.Instant)
        /// For good.
        case closed(Ending)
    }

    /// Why a client is closed for good.
    public enum Ending: Hashable, Sendable {
        /// `close` was called.
        case closedByUser
        /// The credentials or the token were refused; `code` is the server's name for it.
        case tokenRefused(code: String)
        /// The server ended the connection and does not want this client back by itself: `replaced` by another
        /// connection of the same device, `kicked`, …
        case rejected(reason: String, number: UInt16?, message: String)
    }
}

/// The state now and as it changes, to any number of listeners.
struct StateBroadcast: Sendable {
    private let states = Broadcast(latest: PushClient.State.idle, bufferMax: 64)

    var current: PushClient.State { states.latest ?? .idle }

    func publish(_ state: PushClient.State) {
        states.publish(state) { $0 != state }
        if case .closed = state { states.finish() }
    }

    func stream() -> AsyncStream<PushClient.State> { states.stream() }
}
