import Common
import DequeModule
import Foundation
import Synchronization

/// The threads that wait for the server, so that neither an event loop nor the cooperative pool does: a few, each with
/// a connection of its own, and one bounded queue for all. libmariadb wants a connection to be used by one thread at a
/// time (mariadb.com/kb, "MariaDB Connector/C"); here it is always the same, and the compiler keeps it there, because
/// `MySQLSession` is not `Sendable`.
///
/// A call that waited too long for a thread is refused when its turn comes: its caller has better things to do than to
/// wait for the calls of others to time out.
final class MySQLWorkers: Sendable {
    private struct Call: Sendable {
        let until: ContinuousClock.Instant
        let run: @Sendable (MySQLSession) -> Void
        let refuse: @Sendable (WindfireError) -> Void
    }

    private struct State {
        var waiting: Deque<Call> = []
        var isClosed = false
        var threadsRunning: Int
        var onEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// Reached from the threads too, which outlive the pool by a moment.
    private final class Core: Sendable {
        let state: Mutex<State>
        /// Counts the calls that wait; once closed, one for each thread.
        let something = DispatchSemaphore(value: 0)
        init(threads: Int) { state = Mutex(State(threadsRunning: threads)) }

        /// - Returns: whether it was open.
        func close() -> Bool {
            let threads: Int? = state.withLock { state in
                guard !state.isClosed else { return nil }
                state.isClosed = true
                return state.threadsRunning
            }
            for _ in 0..<(threads ?? 0) { something.signal() }
            return threads != nil
        }

        /// Calls that were taken in before the end are still carried out.
        func work(_ session: MySQLSession) {
            while true {
                something.wait()
                let (call, isClosed) = state.withLock { ($0.waiting.popFirst(), $0.isClosed) }
                if let call {
                    if ContinuousClock.now < call.until {
                        call.run(session)
                    } else {
                        call.refuse(JobFailure.unavailable("has too many calls waiting for it"))
                    }
                } else if isClosed {
                    break
                }
            }
            session.close()
            let waiters = state.withLock { state in
                state.threadsRunning -= 1
                guard state.threadsRunning == 0 else { return [CheckedContinuation<Void, Never>]() }
                defer { state.onEnd = [] }
                return state.onEnd
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private let core: Core
    private let callsMax: Int
    private let patience: Duration

    init(_ shared: MySQLShared) {
        let count = max(1, shared.configuration.connections)
        let core = Core(threads: count)
        self.core = core
        callsMax = shared.configuration.waitingCallsMax
        patience = shared.configuration.timeout * 2
        for number in 0..<count {
            let thread = Thread { core.work(MySQLSession(shared)) }
            thread.name = "mysql-jobs-\(number)"
            thread.start()
        }
    }

    deinit { _ = core.close() }

    /// Runs `body` on one of the threads. A call that was taken in runs to its end also when its task is cancelled: a
    /// receipt must not be lost to an orderly stop.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (MySQLSession) throws -> Value
    ) async throws(WindfireError) -> Value {
        let result: Result<Value, WindfireError> = await withCheckedContinuation { continuation in
            let call = Call(until: .now + patience) { session in
                do {
                    continuation.resume(returning: .success(try body(session)))
                } catch {
                    continuation.resume(returning: .failure(MySQLFailure.windfireError(error)))
                }
            } refuse: { error in
                continuation.resume(returning: .failure(error))
            }
            let refusal: WindfireError? = core.state.withLock { state in
                if state.isClosed { return JobFailure.unavailable("is closed", retryAfter: nil) }
                guard state.waiting.count < callsMax else {
                    return JobFailure.unavailable("has too many calls waiting for it")
                }
                state.waiting.append(call)
                return nil
            }
            if let refusal { call.refuse(refusal) } else { core.something.signal() }
        }
        return try result.get()
    }

    /// Takes in no more, and returns when the last call has ended and the connections are closed.
    func close() async {
        _ = core.close()
        await withCheckedContinuation { continuation in
            let isOver = core.state.withLock { state in
                if state.threadsRunning > 0 { state.onEnd.append(continuation) }
                return state.threadsRunning == 0
            }
            if isOver { continuation.resume() }
        }
    }
}
