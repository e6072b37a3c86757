import Synchronization

/// Messages between the event loop and the application, with a bound: beyond `countMax` the producer is told to stop
/// reading, and is called when half of them are taken. (What one read of the socket brought still goes in.)
///
/// Not an `AsyncStream`: that drops or grows when full, and neither will do.
final class MessageQueue: Sendable {
    private struct State {
        var items: [PushClient.Message] = []
        var head = 0
        var waiting: [(id: Int, continuation: CheckedContinuation<PushClient.Message?, Never>)] = []
        var waiters = 0
        var isPaused = false
        var isFinished = false
        var resume: (@Sendable () -> Void)?

        var count: Int { items.count - head }

        mutating func popFirst() -> PushClient.Message? {
            guard head < items.count else { return nil }
            let item = items[head]
            head += 1
            // Amortised: what is moved was taken before.
            if head * 2 >= items.count { compact() }
            return item
        }

        private mutating func compact() {
            items.removeFirst(head)
            head = 0
        }
    }

    private let countMax: Int
    private let state = Mutex(State())

    init(countMax: Int) {
        precondition(countMax > 0, "a queue of no messages would never be read from")
        self.countMax = countMax
    }

    /// - Parameter resume: called, on any thread, when reading may go on after `push` answered false.
    func onResume(_ resume: @escaping @Sendable () -> Void) { state.withLock { $0.resume = resume } }

    /// - Returns: whether to go on reading.
    func push(_ message: PushClient.Message) -> Bool {
        let (waiter, goOn) = state.withLock { state in
            guard !state.isFinished else { return (nil as CheckedContinuation<PushClient.Message?, Never>?, true) }
            if !state.waiting.isEmpty { return (state.waiting.removeFirst().continuation, true) }
            state.items.append(message)
            if state.count >= countMax { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        waiter?.resume(returning: message)
        return goOn
    }

    /// What is in it can still be taken.
    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
    }

    /// Nil when finished and empty, or when the task is cancelled.
    func next() async -> PushClient.Message? {
        let id = state.withLock { state in
            state.waiters += 1
            return state.waiters
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in take(id, continuation) }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
            }
            waiter?.resume(returning: nil)
        }
    }

    private func take(_ id: Int, _ continuation: CheckedContinuation<PushClient.Message?, Never>) {
        enum Outcome {
            case got(PushClient.Message, resume: (@Sendable () -> Void)?)
            case end, wait
        }
        let outcome: Outcome = state.withLock { state in
            if let message = state.popFirst() {
                guard state.isPaused, state.count <= countMax / 2 else { return .got(message, resume: nil) }
                state.isPaused = false
                return .got(message, resume: state.resume)
            }
            // A cancellation before this point found nobody waiting; it is seen here.
            if state.isFinished || Task.isCancelled { return .end }
            state.waiting.append((id, continuation))
            return .wait
        }
        switch outcome {
        case .got(let message, let resume):
            continuation.resume(returning: message)
            resume?()
        case .end: continuation.resume(returning: nil)
        case .wait: break
        }
    }
}
