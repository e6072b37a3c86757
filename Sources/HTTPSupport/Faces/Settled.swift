import Common
import Synchronization

/// A value that comes once, and whoever waits for it. The first settling counts.
package final class Settled<Value: Sendable>: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Result<Value, WindfireError>, Never>])
        case settled(Result<Value, WindfireError>)
    }

    private let state = Mutex(State.waiting([]))

    package init() {}

    package func settle(_ result: Result<Value, WindfireError>) {
        let waiting: [CheckedContinuation<Result<Value, WindfireError>, Never>] = state.withLock { state in
            guard case .waiting(let waiting) = state else { return [] }
            state = .settled(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    /// Waits until settled.
    package var value: Value {
        get async throws(WindfireError) {
            let result = await withCheckedContinuation { continuation in
                let known: Result<Value, WindfireError>? = state.withLock { state in
                    switch state {
                    case .waiting(let waiting):
                        state = .waiting(waiting + [continuation])
                        return nil
                    case .settled(let result):
                        return result
                    }
                }
                if let known { continuation.resume(returning: known) }
            }
            return try result.get()
        }
    }
}
