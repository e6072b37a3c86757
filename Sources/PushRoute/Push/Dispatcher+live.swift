import Common
import NodeRPC

// A live push is for whoever is connected now: look up, call, and look up once more what was not found, because a route
// may be older than its connection's end.

extension Dispatcher {
    func pushLive(_ call: Call) async throws(WindfireError) -> Receipt {
        var ledger = makeLedger(call.targets)
        guard !isOver(call) else {
            for target in call.targets.indices { ledger.failed(target: target, reason: "expired") }
            return Receipt(id: call.id, targets: call.targets, ledger: ledger, phases: Phases())
        }
        var phases = Phases()
        let clock = ContinuousClock()
        let start = clock.now
        let located = try await locate(call.targets)
        let members = try knownMembers()
        let plan = DeliveryPlan(located: located, members: members)
        let locatedAt = clock.now
        phases.lookup = locatedAt - start

        var round = await deliver(call, by: plan, into: &ledger)
        phases.delivery = clock.now - locatedAt
        if !round.open.isEmpty { await retry(&round, of: call, into: &ledger, phases: &phases) }
        return Receipt(id: call.id, targets: call.targets, ledger: ledger, phases: phases)
    }

    /// The second and last round.
    private func retry(
        _ round: inout DeliveryRound, of call: Call, into ledger: inout PushLedger, phases: inout Phases
    ) async {
        let clock = ContinuousClock()
        let start = clock.now
        let targets = round.openTargets
        let plan: DeliveryPlan
        do throws(WindfireError) {
            let located = try await locate(targets.map { call.targets[$0] })
            plan = DeliveryPlan.retry(
                targets: targets, located: located, tried: round.tried, settled: round.settledDevices,
                members: try knownMembers())
        } catch {
            // Some have the message already, so the push as a whole can no longer be refused.
            round.close(withoutLookup: error.code.name, into: &ledger)
            return
        }
        phases.lookup += clock.now - start
        round.close(except: plan, into: &ledger)
        let deliveryStart = clock.now
        var last = await deliver(call, by: plan, into: &ledger)
        last.closeForGood(into: &ledger)
        phases.delivery += clock.now - deliveryStart
    }

    private func deliver(
        _ call: Call, by plan: DeliveryPlan, into ledger: inout PushLedger
    ) async -> DeliveryRound {
        var round = DeliveryRound()
        for (sessions, answer) in await callNodes(call.template, by: plan, logger: call.logger) {
            round.enter(answer, for: sessions, into: &ledger)
        }
        return round
    }

    private func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] {
        let answers = await chunks(clients).concurrentMap(atOnce: configuration.lookupsAtOnce) {
            [routes] chunk -> Result<[[Route]], WindfireError> in
            do throws(WindfireError) { return .success(try await routes.locate(chunk)) } catch {
                return .failure(error)
            }
        }
        var located: [[Route]] = []
        located.reserveCapacity(clients.count)
        for answer in answers { located += try answer.get() }
        precondition(located.count == clients.count, "a look-up answers once per client")
        return located
    }
}
