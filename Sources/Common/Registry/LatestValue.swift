import Synchronization

/// A value that changes, and everybody who follows it. Reading is a lock and a copy; each follower has a buffer of its
/// own with the newest values, so that a slow one skips and never holds anybody up.
package final class LatestValue<Value: Equatable & Sendable>: Sendable {
    private struct State {
        var value: Value
        var followers: [Int: AsyncStream<Value>.Continuation] = [:]
        var nextFollower = 0
    }

    private let state: Mutex<State>
    /// Values that wait for one follower at most; when there are more, the oldest is dropped.
    private let buffer: Int

    package init(_ value: Value, buffer: Int = 1) {
        precondition(buffer > 0, "A follower needs room for one value.")
        state = Mutex(State(value: value))
        self.buffer = buffer
    }

    package var value: Value { state.withLock { $0.value } }

    /// Sets it. Followers hear of it only when it is a different one.
    package func set(_ value: Value) {
        state.withLock { state in
            guard state.value != value else { return }
            state.value = value
            // Under the lock, so that all followers see one order. `yield` resumes a task and runs no code of it here.
            for follower in state.followers.values { follower.yield(value) }
        }
    }

    /// The value now and each one after it, until the reading task is cancelled.
    package func stream() -> AsyncStream<Value> {
        AsyncStream(bufferingPolicy: .bufferingNewest(buffer)) { continuation in
            let follower = state.withLock { state in
                let follower = state.nextFollower
                state.nextFollower += 1
                state.followers[follower] = continuation
                continuation.yield(state.value)
                return follower
            }
            // When the reader was cancelled before this line, the handler runs at once.
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.followers.removeValue(forKey: follower) }
            }
        }
    }

    /// The first value, now or later, that meets the condition; nil when the task is cancelled before.
    package func first(where condition: @Sendable (Value) -> Bool) async -> Value? {
        for await value in stream() where condition(value) { return value }
        return nil
    }
}
