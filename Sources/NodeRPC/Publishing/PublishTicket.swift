import Common
import Synchronization

/// Stands for one submitted message; tells what became of it. It always comes to its end: look-ups and calls have
/// deadlines.
package final class PublishTicket: Sendable {
    package typealias Outcome = Result<PublishReceipt, WindfireError>

    private struct State {
        var tally = PublishTally()
        var outcome: Outcome?
        var isTold = false
        var waiters: [CheckedContinuation<Outcome, Never>] = []
    }

    /// The caller's own number for it.
    package let tag: UInt64
    let target: PublishTarget
    let cost: Int
    private let collector: SettledTickets?
    private let state = Mutex(State())

    init(_ target: PublishTarget, cost: Int, tag: UInt64 = 0, collector: SettledTickets? = nil) {
        self.target = target
        self.cost = cost
        self.tag = tag
        self.collector = collector
    }

    /// What became of it, if it is known already.
    package var outcomeNow: Outcome? { state.withLock { $0.isTold ? $0.outcome : nil } }

    /// Waits for what becomes of it. Costs nothing when it is known already, so many tickets are best awaited one after
    /// the other.
    package var outcome: Outcome {
        get async {
            if let outcome = outcomeNow { return outcome }
            return await withCheckedContinuation { waiter in
                let known: Outcome? = state.withLock { state in
                    if state.isTold, let outcome = state.outcome { return outcome }
                    state.waiters.append(waiter)
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        }
    }

    /// - Throws: `routes_unavailable`, `registry_unavailable`, `no_node`, `overloaded`: it reached nobody, or it is
    ///   not known whether the topic has kept it.
    package var receipt: PublishReceipt {
        get async throws(WindfireError) { try await outcome.get() }
    }

    /// - Returns: the end, with the last news. Nobody is told before `tell`, so that whoever is told finds room for the
    ///   next message.
    func enter(_ news: PublishTally.News) -> Outcome? {
        state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = state.tally.enter(news)
            return state.outcome
        }
    }

    func tell() {
        let (outcome, waiters) = state.withLock { state in
            state.isTold = true
            defer { state.waiters = [] }
            return (state.outcome, state.waiters)
        }
        guard let outcome else { return }
        for waiter in waiters { waiter.resume(returning: outcome) }
        collector?.add(self)
    }
}

/// Tickets that have come to their end, for a caller with very many of them: one task takes them in handfuls, in the
/// order in which they ended, and tells them apart by their tags.
package final class SettledTickets: Sendable {
    private struct State {
        var settled: [PublishTicket] = []
        var waiter: CheckedContinuation<[PublishTicket], Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// All that have ended since the last call; waits for the first. Empty only after `close`. For one task.
    package func next() async -> [PublishTicket] {
        await withCheckedContinuation { waiter in
            let ready: [PublishTicket]? = state.withLock { state in
                guard state.settled.isEmpty, !state.isClosed else {
                    defer { state.settled = [] }
                    return state.settled
                }
                precondition(state.waiter == nil, "one task takes the tickets")
                state.waiter = waiter
                return nil
            }
            if let ready { waiter.resume(returning: ready) }
        }
    }

    /// Wakes who waits; what ends afterwards is dropped.
    package func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: [])
    }

    fileprivate func add(_ ticket: PublishTicket) {
        let waiter: CheckedContinuation<[PublishTicket], Never>? = state.withLock { state in
            guard !state.isClosed else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.settled.append(ticket)
            return nil
        }
        waiter?.resume(returning: [ticket])
    }
}
