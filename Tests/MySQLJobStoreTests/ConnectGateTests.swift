import Testing

@testable import MySQLJobStore

@Suite struct ConnectGateTests {
    private let away = MySQLError(code: 2003, text: "away")
    private let start = ContinuousClock.now

    @Test func afterAFailureNobodyDialsForAWhileThatDoublesUpToItsBound() {
        var gate = ConnectGate(least: .milliseconds(100), most: .milliseconds(300))
        var now = start
        #expect(gate.refusal(at: now) == nil)
        for (number, pause) in [100, 200, 300, 300].enumerated() {
            let isNews = gate.failed(away, at: now)
            #expect(isNews == (number == 0))
            #expect(gate.refusal(at: now + .milliseconds(pause - 1))?.code == 2003)
            now += .milliseconds(pause)
            #expect(gate.refusal(at: now) == nil)
        }
    }

    @Test func failuresOfDialsSideBySideCountOnce() {
        var gate = ConnectGate(least: .milliseconds(100), most: .seconds(2))
        let isNews = (0..<3).map { gate.failed(away, at: start + .milliseconds($0)) }
        #expect(isNews == [true, false, false])
        #expect(gate.refusal(at: start + .milliseconds(100)) == nil)
    }

    @Test func successOpensItAndTheNextFailureBeginsAnew() {
        var gate = ConnectGate(least: .milliseconds(100), most: .seconds(2))
        let hadFailedAtFirst = gate.succeeded()
        _ = gate.failed(away, at: start)
        _ = gate.failed(away, at: start + .milliseconds(100))
        let hadFailed = gate.succeeded()
        #expect([hadFailedAtFirst, hadFailed] == [false, true])
        #expect(gate.refusal(at: start + .milliseconds(101)) == nil)
        let isNews = gate.failed(away, at: start + .milliseconds(101))
        #expect(isNews)
        #expect(gate.refusal(at: start + .milliseconds(201)) == nil)
    }

    @Test func aConflictWaitsForARandomShareOfATimeThatDoublesUpToItsBound() {
        #expect(ConflictPause.length(attempt: 0, share: 1) == .milliseconds(2))
        #expect(ConflictPause.length(attempt: 3, share: 1) == .milliseconds(16))
        #expect(ConflictPause.length(attempt: 3, share: 0.5) == .milliseconds(8))
        #expect(ConflictPause.length(attempt: 3, share: 0) == .zero)
        #expect(ConflictPause.length(attempt: 99, share: 1) == .milliseconds(200))
    }

    @Test func failuresAreKnownByTheirNumbers() {
        func error(_ code: UInt32) -> MySQLError { MySQLError(code: code, text: "'s3cret'") }
        #expect([1205, 1213].allSatisfy { error($0).isConflict })
        #expect([1053, 1927, 2002, 2006, 2013, 4031].allSatisfy { error($0).isConnectionLost })
        // Errors of MySQL 8 begin at 3000.
        #expect(![1045, 1213, 3024, 3572].contains { error($0).isConnectionLost })
        for code in [1021, 1045, 1114, 1290, 2003, 2013, 9_999] as [UInt32] {
            #expect(!error(code).windfireError().message.contains("s3cret"))
        }
    }
}
