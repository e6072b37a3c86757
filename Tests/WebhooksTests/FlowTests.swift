import Common
import TestKit
import Testing

@testable import Webhooks

/// The queue's decisions, moment by moment.
@Suite struct FlowTests {
    private let start = ContinuousClock.now
    private func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    private func flow(_ change: (inout WebhookFlow.Rules) -> Void = { _ in }) -> WebhookFlow {
        var rules = WebhookFlow.Rules()
        change(&rules)
        return WebhookFlow(rules)
    }

    /// "send 1,2 attempt 1".
    private func told(_ action: WebhookFlow.Action) -> String {
        switch action {
        case .send(let batch):
            "send \(batch.events.map { "\($0.id.high >> 16)" }.joined(separator: ",")) attempt \(batch.attempt)"
                + (batch.lost > 0 ? " lost \(batch.lost)" : "")
        case .wait(let until): "wait \((until - start) / .milliseconds(1))"
        case .idle: "idle"
        case .finished: "finished"
        }
    }

    @Test func anEventWaitsASecondForOthersAndTravelsWithThem() {
        var flow = flow()
        #expect(told(flow.next(now: start, id: id(1))) == "idle")
        #expect(flow.add([event(1)], now: start) == 0)
        #expect(told(flow.next(now: start, id: id(1))) == "wait 1000.0")
        #expect(flow.add([event(2)], now: after(999)) == 0)
        #expect(told(flow.next(now: after(999), id: id(1))) == "wait 1000.0")
        #expect(told(flow.next(now: after(1_000), id: id(1))) == "send 1,2 attempt 1")
        #expect(flow.finished(.accepted, now: after(1_100), chance: 0) == .init(sent: 2))
        #expect(told(flow.next(now: after(1_100), id: id(2))) == "idle")
    }

    @Test func aFullBatchDoesNotWait() {
        var flow = flow { $0.batchMax = 3 }
        _ = flow.add(events(1...4), now: start)
        #expect(told(flow.next(now: start, id: id(1))) == "send 1,2,3 attempt 1")
        _ = flow.finished(.accepted, now: start, chance: 0)
        #expect(told(flow.next(now: start, id: id(2))) == "wait 1000.0", "the rest waits for company")
    }

    @Test func whatComesWhileABatchIsUnderWayDoesNotJoinIt() {
        var flow = flow { $0.batchDelay = .zero }
        _ = flow.add([event(1)], now: start)
        #expect(told(flow.next(now: start, id: id(1))) == "send 1 attempt 1")
        _ = flow.add([event(2)], now: start)
        #expect(flow.finished(.again(reason: "x", after: nil), now: start, chance: 0).isRetried)
        #expect(told(flow.next(now: start, id: id(2))) == "send 1 attempt 2")
        _ = flow.finished(.accepted, now: start, chance: 0)
        #expect(told(flow.next(now: start, id: id(2))) == "send 2 attempt 1")
    }

    @Test func pausesDoubleUpToABoundAndAreDrawnFromZeroToTheWhole() {
        var flow = flow {
            $0.batchDelay = .zero
            $0.backoffMax = .seconds(3)
            $0.triesMax = 6
        }
        _ = flow.add([event(1)], now: start)
        var waits: [String] = []
        for _ in 1...5 {
            _ = flow.next(now: start + .seconds(100), id: id(1))
            _ = flow.finished(.again(reason: "x", after: nil), now: start, chance: 1)
            waits.append(told(flow.next(now: start, id: id(1))))
        }
        #expect(waits == ["wait 500.0", "wait 1000.0", "wait 2000.0", "wait 3000.0", "wait 3000.0"])
        _ = flow.next(now: start + .seconds(100), id: id(1))
        #expect(flow.finished(.again(reason: "x", after: nil), now: start, chance: 1) == .init(failed: 1))

        var half = self.flow { $0.batchDelay = .zero }
        _ = half.add([event(1)], now: start)
        _ = half.next(now: start, id: id(1))
        _ = half.finished(.again(reason: "x", after: nil), now: start, chance: 0.5)
        #expect(told(half.next(now: start, id: id(1))) == "wait 250.0")
    }

    @Test func aReceiversOwnPauseIsHonouredUpToFiveMinutes() {
        for (asked, waits) in [(Duration.seconds(7), "wait 7000.0"), (.seconds(86_400), "wait 300000.0")] {
            var flow = flow { $0.batchDelay = .zero }
            _ = flow.add([event(1)], now: start)
            _ = flow.next(now: start, id: id(1))
            _ = flow.finished(.again(reason: "status_429", after: asked), now: start, chance: 1)
            #expect(told(flow.next(now: start, id: id(1))) == waits)
        }
    }

    @Test func theOldestGiveWayAndTheNextBatchSaysHowMany() {
        var flow = flow {
            $0.queueMax = 3
            $0.batchDelay = .zero
        }
        #expect(flow.add(events(1...3), now: start) == 0, "at the bound all stay")
        #expect(flow.add([event(4)], now: start) == 1)
        #expect(told(flow.next(now: start, id: id(1))) == "send 2,3,4 attempt 1 lost 1")
        #expect(flow.add(events(5...8), now: start) == 1, "what is under way has left the queue")
        #expect(flow.count == 6)
        _ = flow.finished(.accepted, now: start, chance: 0)
        #expect(told(flow.next(now: start, id: id(2))) == "send 6,7,8 attempt 1 lost 1")
    }

    @Test func whatIsGivenUpCountsAsLostInTheNextBatch() {
        var flow = flow { $0.batchDelay = .zero }
        _ = flow.add(events(1...2), now: start)
        _ = flow.next(now: start, id: id(1))
        #expect(flow.finished(.giveUp(reason: "status_404"), now: start, chance: 0) == .init(failed: 2))
        _ = flow.add([event(3)], now: start)
        #expect(told(flow.next(now: start, id: id(2))) == "send 3 attempt 1 lost 2")
    }

    @Test func staleEventsLeaveTheirBatchAndNoTryIsCounted() {
        var flow = flow { $0.batchDelay = .zero }
        _ = flow.add(events(1...3), now: start)
        _ = flow.next(now: start, id: id(1))
        let (left, outcome) = flow.drop([id(2)])
        #expect(left?.events.map(\.id) == [id(1), id(3)])
        #expect(outcome == .init(stale: 1))
        flow.postpone(by: .seconds(1), now: start)
        #expect(told(flow.next(now: start, id: id(1))) == "wait 1000.0")
        #expect(told(flow.next(now: after(1_000), id: id(1))) == "send 1,3 attempt 1")
        #expect(flow.drop([id(1), id(3)]).left == nil)
        #expect(told(flow.next(now: after(1_000), id: id(1))) == "idle")
    }

    @Test func whenItStopsNothingWaitsForCompanyAndTheEndIsSaid() {
        var flow = flow()
        _ = flow.add([event(1)], now: start)
        flow.stop()
        #expect(told(flow.next(now: start, id: id(1))) == "send 1 attempt 1")
        _ = flow.finished(.accepted, now: start, chance: 0)
        #expect(told(flow.next(now: start, id: id(1))) == "finished")
        _ = flow.add(events(2...4), now: start)
        #expect(flow.abandon() == 3)
    }

    /// Any history: each event is sent, failed, stale or dropped, once; and those that are accepted are in order.
    @Test func everyEventIsCountedOnceAndOrderIsKept() {
        var chance = SplitMix.printed()
        for _ in 1...200 {
            var flow = flow {
                $0.queueMax = Int.random(in: 1...20, using: &chance)
                $0.batchMax = Int.random(in: 1...6, using: &chance)
                $0.triesMax = Int.random(in: 1...3, using: &chance)
            }
            var (added, dropped, counted, now) = (0, 0, WebhookFlow.Outcome(), start)
            var accepted: [UUIDv7] = []
            for _ in 1...100 {
                now += .milliseconds(Int.random(in: 0...700, using: &chance))
                let count = Int.random(in: 0...4, using: &chance)
                if count > 0 { dropped += flow.add(events(added + 1...added + count), now: now) }
                added += count
                guard case .send(let batch) = flow.next(now: now, id: id(1)) else { continue }
                let verdict: WebhookVerdict =
                    [
                        .accepted, .again(reason: "x", after: nil), .giveUp(reason: "y"),
                    ].randomElement(using: &chance) ?? .accepted
                if verdict == .accepted { accepted += batch.events.map(\.id) }
                let outcome = flow.finished(verdict, now: now, chance: 0.5)
                counted.sent += outcome.sent
                counted.failed += outcome.failed
            }
            #expect(counted.sent + counted.failed + dropped + flow.count == added)
            #expect(accepted.count == counted.sent)
            #expect(zip(accepted, accepted.dropFirst()).allSatisfy { $0.high < $1.high })
        }
    }
}
