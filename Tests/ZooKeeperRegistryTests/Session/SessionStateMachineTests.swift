import Common
import Testing

@testable import ZooKeeperRegistry

@Suite("Sessions, decided")
struct SessionStateMachineTests {
    let start = ContinuousClock.now
    let timeout = Duration.seconds(9)

    func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }
    func contact(_ session: Int64) -> SessionEvent { .connected(session: session, timeout: timeout) }

    /// In touch, with session 1.
    func connected() -> SessionStateMachine {
        var machine = SessionStateMachine()
        machine.opened()
        _ = machine.received(contact(1), now: start)
        return machine
    }

    @Test("The first session follows nothing")
    func first() {
        var machine = SessionStateMachine()
        machine.opened()
        let trying = machine.received(.connecting, now: at(1))
        #expect(trying == .none)
        let early = machine.deadlineReached(now: at(1000))
        #expect(early == .none)
        let found = machine.received(contact(1), now: at(1001))
        #expect(found == .announce(.connected(afterExpiry: false), session: 1))
    }

    @Test("A short loss keeps the session")
    func shortLoss() {
        var machine = connected()
        let loss = machine.received(.connecting, now: at(10))
        #expect(loss == .announceLoss(deadline: at(22)))
        let again = machine.received(.connecting, now: at(11))
        #expect(again == .none)
        let early = machine.deadlineReached(now: at(21.9))
        #expect(early == .none)
        let back = machine.received(contact(1), now: at(21.95))
        #expect(back == .announce(.connected(afterExpiry: false), session: 1))
        let late = machine.deadlineReached(now: at(22))
        #expect(late == .none)
    }

    @Test("After an expiry the next session says so, and only that one")
    func expiry() {
        var machine = connected()
        _ = machine.received(.connecting, now: at(1))
        let expired = machine.received(.expired, now: at(12))
        #expect(expired == .replaceHandle(.expired))
        machine.opened()
        let next = machine.received(contact(2), now: at(13))
        #expect(next == .announce(.connected(afterExpiry: true), session: 2))
        _ = machine.received(.connecting, now: at(14))
        let back = machine.received(contact(2), now: at(15))
        #expect(back == .announce(.connected(afterExpiry: false), session: 2))
    }

    @Test("Without contact for 4/3 of the timeout the handle is given up, and the next session follows an expiry")
    func deadline() {
        var machine = connected()
        _ = machine.received(.connecting, now: at(10))
        let late = machine.deadlineReached(now: at(22))
        #expect(late == .replaceHandle(.deadline))
        let stale = machine.received(.expired, now: at(23))
        #expect(stale == .none)
        machine.opened()
        let waiting = machine.deadlineReached(now: at(500))
        #expect(waiting == .none)
        let next = machine.received(contact(2), now: at(501))
        #expect(next == .announce(.connected(afterExpiry: true), session: 2))
    }

    @Test("An expiry can come without a loss before it")
    func suddenExpiry() {
        var machine = connected()
        let expired = machine.received(.expired, now: at(1))
        #expect(expired == .replaceHandle(.expired))
    }

    @Test("Refused credentials take another handle, and count as no session")
    func credentials() {
        var machine = SessionStateMachine()
        machine.opened()
        let refused = machine.received(.authenticationFailed, now: at(1))
        #expect(refused == .replaceHandle(.authenticationFailed))
        machine.opened()
        let found = machine.received(contact(1), now: at(2))
        #expect(found == .announce(.connected(afterExpiry: false), session: 1))
    }

    @Test("Each reconnect has a deadline of its own, by the timeout granted last")
    func newTimeout() {
        var machine = connected()
        _ = machine.received(.connecting, now: at(1))
        _ = machine.received(.connected(session: 1, timeout: .seconds(3)), now: at(2))
        let loss = machine.received(.connecting, now: at(10))
        #expect(loss == .announceLoss(deadline: at(14)))
    }

    @Test("After the end nothing happens")
    func closed() {
        var machine = connected()
        machine.closed()
        let event = machine.received(.connecting, now: at(1))
        #expect(event == .none)
        machine.opened()
        #expect(machine.state == .closed)
    }

    @Test("The pause grows to its cap, and is anywhere below it")
    func backoff() {
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(1))
        let ceilings = (0..<6).map { _ in backoff.next(random: 1) }
        #expect(ceilings == [100, 200, 400, 800, 1000, 1000].map { Duration.milliseconds($0) })
        #expect(backoff.next(random: 0) == .zero)
        #expect(backoff.next(random: 0.5) == .milliseconds(500))
        for _ in 0..<100 { #expect(backoff.next(random: 1) == .seconds(1)) }
        backoff.reset()
        #expect(backoff.next(random: 1) == .milliseconds(100))
    }
}
