import Common
import NodeRPC
import Testing

@testable import PushRoute

@Suite struct DeliveryPlanTests {
    private let one = makeMember("n1")
    private let two = makeMember("n2")

    private func shown(_ plan: DeliveryPlan) -> [String] {
        plan.batches.map { batch in
            "\(batch.member.id): "
                + batch.sessions.map { "\($0.target)/\($0.route.session.low)" }.joined(separator: " ")
        }
    }

    @Test func routesAreGroupedByNodeInOneBatchEach() {
        let plan = DeliveryPlan(
            located: [
                [makeRoute(two, 1)], [], [makeRoute(one, 2), makeRoute(two, 3, device: "tv")], [makeRoute(two, 4)],
            ], members: Members([one, two]))
        #expect(shown(plan) == ["n1: 2/2", "n2: 0/1 2/3 3/4"])
        #expect(plan.ignoredRoutes == 0)
    }

    @Test func routesOfUnknownIncarnationsAreIgnored() {
        let old = makeMember("n1", life: 9)
        let stranger = makeMember("n3")
        let plan = DeliveryPlan(
            located: [
                [makeRoute(old, 1)], [makeRoute(one, 2)], [makeRoute(old, 3)],
                [makeRoute(stranger, 4), makeRoute(one, 5)],
            ],
            members: Members([one, two]))
        #expect(shown(plan) == ["n1: 1/2 3/5"])
        #expect(plan.ignoredRoutes == 3)
    }

    @Test func aDrainingNodeIsStillCalled() {
        let draining = makeMember("n1", state: .draining)
        let plan = DeliveryPlan(located: [[makeRoute(draining, 1)]], members: Members([draining]))
        #expect(shown(plan) == ["n1: 0/1"])
    }

    @Test func aRetryLeavesOutWhatWasTriedAndWhatIsSettled() {
        let plan = DeliveryPlan.retry(
            targets: [4, 7],
            located: [
                [makeRoute(one, 1), makeRoute(two, 2, device: "phone")],
                [makeRoute(two, 3, device: "tv"), makeRoute(two, 4, device: "watch")],
            ],
            tried: [session(1)],
            settled: [TargetDevice(target: 7, device: DeviceID(unchecked: "tv"))],
            members: Members([one, two]))
        #expect(shown(plan) == ["n2: 4/2 7/4"])
    }

    @Test func aRoundKeepsWhatIsOpenAndCountsTheRest() {
        var ledger = PushLedger(targets: 3, keepsRows: true)
        var round = DeliveryRound()
        let sessions = (0..<3).map { PlannedSession(target: $0, route: makeRoute(one, UInt64($0))) }
        round.enter(.outcomes([.written, .gone, .refused]), for: sessions[...], into: &ledger)
        #expect(round.open == [DeliveryRound.Open(session: sessions[1], doubt: .gone)])
        #expect(round.openTargets == [1])
        #expect(round.tried == [session(1)])
        #expect(round.settledDevices == [])
        #expect(ledger.statuses == [.delivered, .offline, .failed])
        #expect(ledger.reasons == [2: "outbox_full"])

        round.enter(.unanswered(reason: "node_unavailable"), for: sessions[2...], into: &ledger)
        round.enter(.otherIncarnation, for: sessions[0...0], into: &ledger)
        #expect(round.openTargets == [0, 1, 2])
        #expect(round.settledDevices.count == 2)

        round.closeForGood(into: &ledger)
        #expect(ledger.counts == PushLedger.Counts(delivered: 1, offline: 1, failed: 1))
        #expect(round.open == [])
    }

    @Test func deliveredOutweighsFailed() {
        var ledger = PushLedger(targets: 1, keepsRows: true)
        ledger.failed(PlannedSession(target: 0, route: makeRoute(one, 1, device: "tv")), reason: "outbox_full")
        ledger.delivered(PlannedSession(target: 0, route: makeRoute(two, 2, device: "phone")))
        ledger.failed(PlannedSession(target: 0, route: makeRoute(two, 3, device: "watch")), reason: "node_unavailable")
        #expect(ledger.statuses == [.delivered])
        #expect(ledger.rows[0]?.map(\.status) == [.failed, .delivered, .failed])
    }
}
