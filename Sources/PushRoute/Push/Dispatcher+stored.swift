import Common
import NodeRPC

// A stored push waits in the inbox of each target until its devices have acknowledged it. Storing answers with the
// sessions of the same moment, so there is one step instead of a look-up, and no second round: a device that has left
// meanwhile gets the message with its next claim.

extension Dispatcher {
    func pushStored(_ call: Call) async throws(WindfireError) -> Receipt {
        var phases = Phases()
        let clock = ContinuousClock()
        let start = clock.now
        let members = try knownMembers()
        let results = await store(call)
        try Self.refuseIfNothingIsStored(results)

        var ledger = makeLedger(call.targets)
        let plan = DeliveryPlan(stored: results, members: members)
        for (target, result) in results.enumerated() { ledger.enter(result, for: target) }
        let storedAt = clock.now
        phases.lookup = storedAt - start
        for (sessions, answer) in await callNodes(call.template, by: plan, logger: call.logger) {
            ledger.enter(answer, forStored: sessions)
        }
        phases.delivery = clock.now - storedAt
        return Receipt(id: call.id, targets: call.targets, ledger: ledger, phases: phases)
    }

    /// What failed is stored for once more, as a repeat: a connection that broke while the answer was on its way is the
    /// usual reason, and the store finds what it has.
    private func store(_ call: Call) async -> [StoreResult] {
        let message = StoredMessage(
            push: call.id, data: call.parameters.data, timestampMilliseconds: call.id.unixMilliseconds,
            expiresAtMilliseconds: call.id.unixMilliseconds
                + UInt64(clamping: (call.parameters.timeToLive ?? configuration.limits.inboxAge).components.seconds)
                * 1_000,
            collapseKey: call.parameters.collapseKey, job: call.job, traceID: call.traceID)
        var results = await store(message, for: call.targets, isRepeat: call.isRepeat)
        let open = results.indices.filter { results[$0].hasFailed }
        guard !open.isEmpty else { return results }
        let again = await store(message, for: open.map { call.targets[$0] }, isRepeat: true)
        for (target, result) in zip(open, again) { results[target] = result }
        return results
    }

    private func store(_ message: StoredMessage, for clients: [ClientID], isRepeat: Bool) async -> [StoreResult] {
        let answers = await chunks(clients).concurrentMap(atOnce: configuration.lookupsAtOnce) { [inboxes] chunk in
            await inboxes.store(message, for: chunk, isRepeat: isRepeat)
        }
        let results = answers.flatMap(\.self)
        precondition(results.count == clients.count, "storing answers once per client")
        return results
    }

    /// - Throws: the first failure, when there is nothing else.
    private static func refuseIfNothingIsStored(_ results: [StoreResult]) throws(WindfireError) {
        guard case .failed(let error) = results.first, results.allSatisfy(\.hasFailed) else { return }
        throw error
    }
}

extension StoreResult {
    fileprivate var hasFailed: Bool {
        if case .failed = self { true } else { false }
    }
}

extension DeliveryPlan {
    /// Who is to be called once a message was stored.
    init(stored results: [StoreResult], members: Members) {
        var sessions: [PlannedSession] = []
        for (target, result) in results.enumerated() {
            guard case .stored(let id, let previous, _, let routes) = result else { continue }
            let place = StoredPlace(position: id, previous: previous)
            sessions += routes.map { PlannedSession(target: target, route: $0, place: place) }
        }
        self.init(sessions, members: members)
    }
}

extension PushLedger {
    fileprivate mutating func enter(_ result: StoreResult, for target: Int) {
        switch result {
        case .stored: stored(target: target)
        case .replaced: failed(target: target, reason: "replaced")
        case .expired: failed(target: target, reason: "expired")
        case .failed(let error): failed(target: target, reason: error.code.name)
        }
    }

    /// A session that did not take the message leaves it waiting in the inbox.
    fileprivate mutating func enter(_ answer: NodeAnswer, forStored sessions: ArraySlice<PlannedSession>) {
        switch answer {
        case .outcomes(let outcomes):
            precondition(outcomes.count == sessions.count, "a node answers once per session")
            for (session, outcome) in zip(sessions, outcomes) {
                switch outcome {
                case .written: delivered(session)
                case .refused: waits(session, reason: "outbox_full")
                // It gets the message with its next claim.
                case .gone: break
                }
            }
        case .otherIncarnation: break
        case .unanswered(let reason): for session in sessions { waits(session, reason: reason) }
        }
    }
}
