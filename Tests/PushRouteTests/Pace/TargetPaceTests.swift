import Common
import TestKit
import Testing

@testable import PushRoute

@Suite struct TargetPaceTests {
    private let start = ContinuousClock.now

    @Test func aSecondsWorthGoesAtOnceAndThenItFlows() {
        var pace = TargetPace(perSecond: 100)
        #expect(pace.take(60, at: start) == nil)
        #expect(pace.take(40, at: start) == nil)
        #expect(pace.take(1, at: start) == .milliseconds(10))
        #expect(pace.take(50, at: start) == .milliseconds(500))
        // What was refused was not counted.
        #expect(pace.take(50, at: start + .milliseconds(500)) == nil)
        #expect(pace.take(1, at: start + .milliseconds(500)) == .milliseconds(10))
    }

    @Test func moreThanASecondsWorthGoesWhenNothingIsOwedAndIsOwedThen() {
        var pace = TargetPace(perSecond: 10)
        #expect(pace.take(1_000, at: start) == nil)
        #expect(pace.take(1, at: start) == .seconds(99) + .milliseconds(100))
        #expect(pace.take(1_000, at: start + .seconds(99)) == .seconds(1))
        #expect(pace.take(1_000, at: start + .seconds(100)) == nil)
    }

    @Test func whoReservesWaitsForWhoCameBefore() {
        var pace = TargetPace(perSecond: 100)
        #expect(pace.reserve(100, at: start) == .zero)
        #expect(pace.reserve(50, at: start) == .milliseconds(500))
        #expect(pace.reserve(50, at: start) == .seconds(1))
        #expect(pace.reserve(50, at: start + .seconds(10)) == .zero)
    }

    @Test func overAnyTimeNoMoreGoesThanThePaceAndASecondsWorth() {
        var random = SplitMix.printed()
        for _ in 0..<50 {
            let perSecond = Int.random(in: 1...5_000, using: &random)
            var pace = TargetPace(perSecond: perSecond)
            var now = start
            var gone = 0
            for _ in 0..<500 {
                now += .microseconds(Int.random(in: 0...20_000, using: &random))
                let count = Int.random(in: 1...max(1, perSecond / 10), using: &random)
                if pace.take(count, at: now) == nil { gone += count }
                let seconds =
                    Double(start.duration(to: now).components.attoseconds) / 1e18
                    + Double(start.duration(to: now).components.seconds)
                #expect(Double(gone) <= Double(perSecond) * (seconds + 1) + 1)
            }
            #expect(gone > 0)
        }
    }

    @Test func theTurnComesAndTheCancelledGoNowhere() async throws {
        let pacer = TargetPacer(perSecond: 1_000)
        #expect(pacer.stepMax == 100)
        try await pacer.waitForTurn(1_000)
        let begun = ContinuousClock.now
        try await pacer.waitForTurn(50)
        #expect(begun.duration(to: .now) >= .milliseconds(40))
        #expect(pacer.take(900) != nil)

        let slow = TargetPacer(perSecond: 1)
        try await slow.waitForTurn(1)
        let waiting = Task { try await slow.waitForTurn(3_600) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
