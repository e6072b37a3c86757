import Common
import TestKit
import Testing

@testable import PushRoute

@Suite struct PushLedgerTests {
    private func session(_ target: Int, device: String = "default") -> PlannedSession {
        PlannedSession(target: target, route: makeRoute(makeMember("n1"), UInt64(target), device: device))
    }

    @Test func everyoneIsOfflineUntilSomethingElseIsKnown() {
        let ledger = PushLedger(targets: 3, keepsRows: true)
        #expect(ledger.counts == .init(delivered: 0, offline: 3, failed: 0, stored: 0))
        #expect(!ledger.isStored(0))
    }

    @Test func aStoredMessageThatNobodyTookWaitsAndSaysWhy() {
        var ledger = PushLedger(targets: 2, keepsRows: true)
        ledger.stored(target: 0)
        ledger.stored(target: 1)
        ledger.waits(session(0), reason: "outbox_full")
        ledger.waits(session(0, device: "tv"), reason: "node_unavailable")
        ledger.delivered(session(1))
        #expect(ledger.counts == .init(delivered: 1, offline: 1, failed: 0, stored: 1))
        #expect(ledger.reasons == [0: "outbox_full"])
        #expect(ledger.rows[0]?.map(\.status) == [.offline, .offline])
        #expect(ledger.isStored(1))
    }

    @Test func oneDeviceThatTookItMakesTheTargetDeliveredInAnyOrder() {
        for isFirst in [true, false] {
            var ledger = PushLedger(targets: 1, keepsRows: false)
            if isFirst { ledger.delivered(session(0)) }
            ledger.failed(session(0), reason: "outbox_full")
            if !isFirst { ledger.delivered(session(0)) }
            #expect(ledger.counts == .init(delivered: 1, offline: 0, failed: 0))
            #expect(ledger.rows.isEmpty)
        }
    }

    @Test func whateverHappensEachTargetCountsOnce() {
        var random = SplitMix.printed()
        for _ in 0..<200 {
            let targets = Int.random(in: 1...20, using: &random)
            var ledger = PushLedger(targets: targets, keepsRows: Bool.random(using: &random))
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let target = Int.random(in: 0..<targets, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: ledger.delivered(session(target))
                case 1: ledger.failed(session(target), reason: "outbox_full")
                case 2: ledger.failed(target: target, reason: "expired")
                case 3: ledger.stored(target: target)
                default: ledger.waits(session(target), reason: "node_unavailable")
                }
            }
            let counts = ledger.counts
            #expect(counts.delivered + counts.offline + counts.failed == targets)
            #expect(counts.stored <= counts.offline)
        }
    }
}
