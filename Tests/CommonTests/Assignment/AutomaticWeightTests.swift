import Testing

@testable import Common

@Suite struct AutomaticWeightTests {
    @Test func aNodeAtEaseKeepsItsWeight() {
        var weight = AutomaticWeight()
        for _ in 0..<100 { weight.report(pressure: 0.6) }
        #expect(weight.factor == 1)
    }

    @Test func aBusyNodeSinksToTheFloorAndNoFurther() {
        var weight = AutomaticWeight()
        for _ in 0..<100 { weight.report(pressure: 5) }
        #expect(abs(weight.factor - 0.1) < 0.03)
        weight.report(pressure: .nan)
        #expect(abs(weight.factor - 0.1) < 0.03)
    }

    @Test func theFactorMovesInOneDirectionAndInSmallSteps() {
        var weight = AutomaticWeight()
        var previous = weight.factor
        for _ in 0..<60 {
            weight.report(pressure: 0.9)
            #expect(weight.factor <= previous)
            #expect(previous - weight.factor <= 0.1 + 1e-12)
            previous = weight.factor
        }
        // Halfway and a half between ease and full: 1 − 0.75 × 0.9.
        #expect(abs(weight.factor - 0.325) < 0.03)
    }

    @Test func pressureThatJumpsUpAndDownMovesTheFactorLittle() {
        var weight = AutomaticWeight()
        var factors: [Double] = []
        for round in 0..<200 {
            weight.report(pressure: round % 2 == 0 ? 0.5 : 1.0)
            if round >= 100 { factors.append(weight.factor) }
        }
        let swing = (factors.max() ?? 1) - (factors.min() ?? 0)
        #expect(swing <= 0.15)
    }

    /// Two equal nodes whose load follows their share of new clients with a delay of two reports; one starts
    /// overloaded. The loop must come to rest.
    @Test func theClosedLoopSettles() {
        var weights = [AutomaticWeight(), AutomaticWeight()]
        var loads = [0.95, 0.55]
        var inFlight: [[Double]] = [[0.5, 0.5], [0.5, 0.5]]
        var shares: [Double] = []
        for _ in 0..<600 {
            for node in 0..<2 { weights[node].report(pressure: loads[node]) }
            let total = weights[0].factor + weights[1].factor
            inFlight.append(weights.map { $0.factor / total })
            let arriving = inFlight.removeFirst()
            // Of all sessions 2 % leave per report and as many come, so the sum stays at 1.5.
            for node in 0..<2 { loads[node] = loads[node] * 0.98 + 1.5 * 0.02 * arriving[node] }
            shares.append(weights[0].factor / total)
        }
        let late = shares.suffix(100)
        #expect((late.max() ?? 1) - (late.min() ?? 0) < 0.05)
        #expect(abs(loads[0] - loads[1]) < 0.05)
    }

    @Test func pressureIsTheWorstOfThree() {
        #expect(AutomaticWeight.pressure(online: 50, capacity: 100, cpu: 0.2, loopLagMilliseconds: 0) == 0.5)
        #expect(AutomaticWeight.pressure(online: 50, capacity: 100, cpu: 0.7, loopLagMilliseconds: 0) == 0.7)
        #expect(AutomaticWeight.pressure(online: 0, capacity: 100, cpu: 0, loopLagMilliseconds: 500) == 2)
        #expect(AutomaticWeight.pressure(online: 0, capacity: 0, cpu: 0, loopLagMilliseconds: 0) == 1)
    }
}
