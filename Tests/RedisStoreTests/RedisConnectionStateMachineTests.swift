import NIOCore
import Testing

@testable import RedisStore

@Suite struct RedisConnectionStateMachineTests {
    typealias Machine = RedisConnectionStateMachine<Int>

    private let start = NIODeadline.uptimeNanoseconds(1_000)
    private func at(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    private func expectDelivery(
        _ machine: inout Machine, to request: Int, isLast: Bool, _ location: SourceLocation = #_sourceLocation
    ) {
        guard case .deliver(request, isLast: isLast) = machine.receivedReply() else {
            Issue.record("not delivered to \(request)", sourceLocation: location)
            return
        }
    }

    @Test func repliesGoToRequestsInOrder() {
        var machine = Machine(repliesMissingMax: 10)
        #expect(machine.submit(1, commands: 1, deadline: at(1)) == .write(schedule: at(1)))
        #expect(machine.submit(2, commands: 3, deadline: at(2)) == .write(schedule: nil))
        #expect(machine.submit(3, commands: 1, deadline: at(3)) == .write(schedule: nil))
        expectDelivery(&machine, to: 1, isLast: true)
        expectDelivery(&machine, to: 2, isLast: false)
        expectDelivery(&machine, to: 2, isLast: false)
        expectDelivery(&machine, to: 2, isLast: true)
        expectDelivery(&machine, to: 3, isLast: true)
        // Nothing waits any more, so the next deadline is to be watched again.
        #expect(machine.submit(4, commands: 1, deadline: at(9)) == .write(schedule: at(9)))
    }

    @Test func aReplyThatNobodyAskedForEndsTheConnection() {
        var machine = Machine(repliesMissingMax: 10)
        guard case .close(.malformedReply) = machine.receivedReply() else {
            Issue.record("not closed")
            return
        }
        #expect(machine.submit(1, commands: 1, deadline: at(1)) == .refuse(.connectionLost("already closed")))
        guard case .ignore = machine.receivedReply() else {
            Issue.record("not ignored")
            return
        }
    }

    @Test func theDeadlineThatIsWatchedIsThatOfTheOldest() {
        var machine = Machine(repliesMissingMax: 10)
        _ = machine.submit(1, commands: 1, deadline: at(1))
        _ = machine.submit(2, commands: 1, deadline: at(2))
        expectDelivery(&machine, to: 1, isLast: true)
        // The timer of the first rings; the second has time.
        guard case .reschedule(at(2)) = machine.deadlineReached(now: at(1)) else {
            Issue.record("not rescheduled")
            return
        }
        expectDelivery(&machine, to: 2, isLast: true)
        guard case .none = machine.deadlineReached(now: at(2)) else {
            Issue.record("nothing waits")
            return
        }
    }

    @Test func aTimeoutFailsAllThatWaitAndEndsTheConnection() {
        var machine = Machine(repliesMissingMax: 10)
        _ = machine.submit(1, commands: 2, deadline: at(1))
        _ = machine.submit(2, commands: 1, deadline: at(2))
        expectDelivery(&machine, to: 1, isLast: false)
        guard case .close(failing: [1, 2], .timedOut) = machine.deadlineReached(now: at(1)) else {
            Issue.record("not closed")
            return
        }
        // The late replies belong to nobody.
        guard case .ignore = machine.receivedReply() else {
            Issue.record("not ignored")
            return
        }
        #expect(machine.submit(3, commands: 1, deadline: at(3)) == .refuse(.connectionLost("already closed")))
        #expect(machine.close(.connectionLost("x")) == [])
    }

    @Test func theQueueIsBounded() {
        var machine = Machine(repliesMissingMax: 3)
        #expect(machine.submit(1, commands: 2, deadline: at(1)) == .write(schedule: at(1)))
        #expect(machine.submit(2, commands: 2, deadline: at(1)) == .refuse(.overloaded))
        #expect(machine.submit(3, commands: 1, deadline: at(1)) == .write(schedule: nil))
        #expect(machine.submit(4, commands: 1, deadline: at(1)) == .refuse(.overloaded))
        expectDelivery(&machine, to: 1, isLast: false)
        #expect(machine.submit(5, commands: 1, deadline: at(1)) == .write(schedule: nil))
    }

    @Test func oneLargeRequestIsTakenWhenNothingElseWaits() {
        var machine = Machine(repliesMissingMax: 3)
        #expect(machine.submit(1, commands: 100, deadline: at(1)) == .write(schedule: at(1)))
        #expect(machine.submit(2, commands: 1, deadline: at(1)) == .refuse(.overloaded))
    }

    @Test func closingFailsWhatWaitsOnce() {
        var machine = Machine(repliesMissingMax: 10)
        _ = machine.submit(1, commands: 1, deadline: at(1))
        _ = machine.submit(2, commands: 1, deadline: at(1))
        #expect(machine.close(.connectionLost("x")) == [1, 2])
        #expect(machine.close(.connectionLost("y")) == [])
        #expect(machine.submit(3, commands: 1, deadline: at(1)) == .refuse(.connectionLost("already closed")))
    }
}

@Suite struct RedisNodeStateMachineTests {
    typealias Machine = RedisNodeStateMachine<String, Int>

    @Test func connectionsAreHandedOutInTurn() {
        var machine = Machine(connections: 2, waitersMax: 10)
        _ = machine.connected("a", at: 0)
        _ = machine.connected("b", at: 1)
        var used: [String] = []
        for _ in 0..<4 { if case .use(let connection) = machine.lease() { used.append(connection) } }
        #expect(used == ["b", "a", "b", "a"])
        machine.disconnected(at: 0)
        for _ in 0..<2 {
            guard case .use("b") = machine.lease() else {
                Issue.record("only b is left")
                return
            }
        }
    }

    @Test func whoWaitsIsServedByTheFirstConnection() {
        var machine = Machine(connections: 2, waitersMax: 2)
        guard case .wait = machine.lease(), case .waiting(let first) = machine.wait(1),
            case .waiting = machine.wait(2), case .refuse(.overloaded) = machine.wait(3)
        else {
            Issue.record("two may wait")
            return
        }
        #expect(machine.waiterExpired(first) == 1)
        #expect(machine.waiterExpired(first) == nil)
        guard case .serve([2]) = machine.connected("a", at: 1), case .use("a") = machine.wait(4) else {
            Issue.record("served")
            return
        }
    }

    @Test func credentialsThatAreRefusedFailCallersAtOnceUntilTheyAreTaken() {
        var machine = Machine(connections: 1, waitersMax: 2)
        _ = machine.wait(1)
        #expect(machine.attemptFailed(.unreachable("x")) == [])
        #expect(machine.attemptFailed(.refused("WRONGPASS")) == [1])
        guard case .refuse(.refused("WRONGPASS")) = machine.lease() else {
            Issue.record("refused")
            return
        }
        guard case .serve([]) = machine.connected("a", at: 0), case .use("a") = machine.lease() else {
            Issue.record("connected")
            return
        }
    }

    @Test func theEndIsTheEnd() {
        var machine = Machine(connections: 2, waitersMax: 2)
        _ = machine.wait(1)
        let (none, waiters) = machine.shutDown()
        #expect(none == [])
        #expect(waiters == [1])
        guard case .close = machine.connected("a", at: 0), case .refuse(.shutDown) = machine.lease() else {
            Issue.record("shut down")
            return
        }
    }
}
