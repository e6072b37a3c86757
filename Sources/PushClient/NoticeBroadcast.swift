import Synchronization

/// Notices about topics, to any number of listeners.
final class NoticeBroadcast: Sendable {
    private struct Shared {
        var isFinished = false
        var listeners: [Int: AsyncStream<PushClient.TopicNotice>.Continuation] = [:]
        var listenersSoFar = 0
    }

    /// A listener that is slower than this misses the oldest. One for each subscription that may be, and some.
    private static let bufferMax = 2 * Subscriptions.countMax

    private let shared = Mutex(Shared())

    func publish(_ notice: PushClient.TopicNotice) {
        shared.withLock { shared in
            for listener in shared.listeners.values { listener.yield(notice) }
        }
    }

    func finish() {
        // Ended outside of the lock: the end of a stream calls back for it.
        let ended = shared.withLock { shared in
            shared.isFinished = true
            defer { shared.listeners = [:] }
            return Array(shared.listeners.values)
        }
        for listener in ended { listener.finish() }
    }

    func stream() -> AsyncStream<PushClient.TopicNotice> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PushClient.TopicNotice.self, bufferingPolicy: .bufferingNewest(Self.bufferMax))
        let id = shared.withLock { shared -> Int? in
            guard !shared.isFinished else { return nil }
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
