import Synchronization

/// Values to any number of listeners, each with a stream of its own.
final class Broadcast<Element: Sendable>: Sendable {
    private struct Shared {
        /// What a new listener is told first; nil when that is nothing.
        var latest: Element?
        var isFinished = false
        var listeners: [Int: AsyncStream<Element>.Continuation] = [:]
        var listenersSoFar = 0
    }

    /// A listener that is slower than this many values misses the oldest of them.
    private let bufferMax: Int
    private let shared: Mutex<Shared>

    /// - Parameter latest: set where a listener begins with the value that stands.
    init(latest: Element? = nil, bufferMax: Int) {
        self.bufferMax = bufferMax
        shared = Mutex(Shared(latest: latest))
    }

    var latest: Element? { shared.withLock { $0.latest } }

    /// - Parameter isNews: asked about the value that stands; what is no news is not told.
    func publish(_ value: Element, isNews: (Element?) -> Bool = { _ in true }) {
        shared.withLock { shared in
            guard isNews(shared.latest) else { return }
            if shared.latest != nil { shared.latest = value }
            for listener in shared.listeners.values { listener.yield(value) }
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

    func stream() -> AsyncStream<Element> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Element.self, bufferingPolicy: .bufferingNewest(bufferMax))
        let id = shared.withLock { shared -> Int? in
            if let latest = shared.latest { continuation.yield(latest) }
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
