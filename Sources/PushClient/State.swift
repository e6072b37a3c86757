import Synchronization

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
final class StateBroadcast: Sendable {
    private struct Shared {
        var current = PushClient.State.idle
        var listeners: [Int: AsyncStream<PushClient.State>.Continuation] = [:]
        var listenersSoFar = 0
    }

    /// A listener that is slower than this many changes misses the oldest of them.
    private static let bufferMax = 64

    private let shared = Mutex(Shared())

    var current: PushClient.State { shared.withLock { $0.current } }

    func publish(_ state: PushClient.State) {
        // Ended outside of the lock: the end of a stream calls back for it.
        let ended = shared.withLock { shared -> [AsyncStream<PushClient.State>.Continuation] in
            guard shared.current != state else { return [] }
            shared.current = state
            for listener in shared.listeners.values { listener.yield(state) }
            guard case .closed = state else { return [] }
            defer { shared.listeners = [:] }
            return Array(shared.listeners.values)
        }
        for listener in ended { listener.finish() }
    }

    func stream() -> AsyncStream<PushClient.State> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PushClient.State.self, bufferingPolicy: .bufferingNewest(Self.bufferMax))
        let id = shared.withLock { shared -> Int? in
            continuation.yield(shared.current)
            if case .closed = shared.current { return nil }
            shared.listenersSoFar += 1
            shared.listeners[shared.listenersSoFar] = continuation
            return shared.listenersSoFar
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.shared.withLock { $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }
}
