import Common
import Synchronization

/// The bound of the calls that wait for the file. SQLite has one writer at a time and GRDB queues the others without
/// limit; a disk that hangs must not gather callers for ever.
final class WaitingCalls: Sendable {
    private struct State {
        var count = 0
        var isClosed = false
    }

    private let max: Int
    private let state = Mutex(State())

    init(max: Int) { self.max = max }

    func enter() throws(WindfireError) {
        let refusal = state.withLock { state -> WindfireError? in
            if state.isClosed { return JobFailure.unavailable("is closed", retryAfter: nil) }
            guard state.count < max else { return JobFailure.unavailable("has too many calls waiting for it") }
            state.count += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    func leave() { state.withLock { $0.count -= 1 } }

    /// - Returns: whether it was open.
    func close() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }
}
