import Synchronization

/// "Something may have changed, look again": what watches, callers and timers fire, and one task waits for. Firing
/// while nobody waits is remembered, many firings are one. A wait may also end early for no reason, so the waiter
/// always looks.
final class Signal: Sendable {
    private struct State {
        var isFired = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// From any thread.
    func fire() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil { state.isFired = true }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when fired, at `deadline`, or when the task is cancelled. One task at a time.
    func wait(until deadline: ContinuousClock.Instant) async {
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            self.fire()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    precondition(state.waiter == nil, "A signal has one waiter.")
                    if state.isFired || Task.isCancelled {
                        state.isFired = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            fire()
        }
        timer.cancel()
    }
}
