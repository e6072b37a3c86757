import Testing

@testable import PushClient

/// Transcripts: what happens on the left, what the client does on the right. Random numbers are 0.5 unless said
/// otherwise, so a first wait is half of the base: 250 ms.
@Suite struct ClientStateMachineTests {
    private typealias Instant = ContinuousClock.Instant

    private let start = Instant.now
    private let one = PushClient.Node(id: "n1", url: "ws://one")
    private let two = PushClient.Node(id: "n2", url: "ws://two")
    private let three = PushClient.Node(id: "n3", url: "ws://three")

    private func token(_ text: String = "t1") -> PushClient.Assignment {
        PushClient.Assignment(token: text, expiresAt: 0, node: one, alternatives: [two])
    }

    private func at(_ seconds: Double) -> Instant { start + .seconds(seconds) }

    /// Fetches, dials n1 as connection 1, and is welcomed at second 0.
    private func connected() -> ClientStateMachine {
        var machine = ClientStateMachine(welcomeTimeout: .seconds(15))
        #expect(machine.start() == .fetchToken)
        #expect(
            machine.tokenFetched(token(), lifetime: .seconds(3600), now: at(0), random: 0)
                == .dial(connection: 1, one))
        #expect(machine.opened(1) == .hello(connection: 1, token: "t1"))
        #expect(machine.welcomed(1, heartbeat: nil, now: at(0)) == .none)
        return machine
    }

    private func fetched() -> ClientStateMachine {
        var machine = ClientStateMachine(welcomeTimeout: .seconds(15))
        #expect(machine.start() == .fetchToken)
        #expect(
            machine.tokenFetched(token(), lifetime: .seconds(3600), now: at(0), random: 0)
                == .dial(connection: 1, one))
        return machine
    }

    private func deadline(_ machine: inout ClientStateMachine, at seconds: Double) -> ClientStateMachine.Step {
        machine.deadlineReached(now: at(seconds), random: 0.5, isReadingPaused: false)
    }

    private func end(
        _ machine: inout ClientStateMachine, _ connection: Int, _ end: ConnectionEnd = .silent, at seconds: Double,
        random: Double = 0.5
    ) -> ClientStateMachine.Step {
        machine.ended(connection, end, now: at(seconds), random: random)
    }

    @Test func `a login goes from token over dial and hello to welcome`() {
        let machine = connected()
        guard case .linked(let link) = machine.state else {
            Issue.record("not linked: \(machine.state)")
            return
        }
        #expect(link.node == one)
    }

    @Test func `starting twice and closing twice changes nothing`() {
        var machine = connected()
        #expect(machine.start() == .none)
        #expect(machine.close() == .finish(.closedByUser))
        #expect(machine.close() == .none)
        #expect(machine.start() == .none)
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a node that does not answer gives way to the alternatives, then a new token is fetched`() {
        var machine = fetched()
        #expect(end(&machine, 1, at: 0) == .none)
        #expect(machine.nextDeadline == at(0.25))
        #expect(deadline(&machine, at: 0.25) == .dial(connection: 2, two))
        #expect(end(&machine, 2, at: 1) == .none)
        // Doubled.
        #expect(machine.nextDeadline == at(1.5))
        #expect(deadline(&machine, at: 1.5) == .fetchToken)
    }

    @Test func `a node that accepts and says nothing is dropped at the deadline`() {
        var machine = fetched()
        #expect(machine.opened(1) == .hello(connection: 1, token: "t1"))
        #expect(machine.nextDeadline == at(15))
        #expect(deadline(&machine, at: 14) == .none)
        #expect(deadline(&machine, at: 15) == .drop(connection: 1))
        #expect(machine.nextDeadline == at(15.25))
        // Whatever it says afterwards is not heard.
        #expect(machine.welcomed(1, heartbeat: nil, now: at(15.1)) == .none)
        #expect(machine.opened(1) == .drop(connection: 1))
        #expect(deadline(&machine, at: 15.25) == .dial(connection: 2, two))
    }

    @Test func `rejected after open is no success: the waits grow`() {
        var machine = fetched()
        var now = 0.0
        var waits: [Duration] = []
        for connection in 1...6 {
            #expect(machine.opened(connection) == .hello(connection: connection, token: "t1"))
            #expect(machine.welcomed(connection, heartbeat: nil, now: at(now)) == .none)
            #expect(end(&machine, connection, at: now) == .none)
            let next = machine.nextDeadline ?? at(now)
            waits.append(at(now).duration(to: next))
            now += at(now).duration(to: next) / .seconds(1)
            #expect(deadline(&machine, at: now) == .dial(connection: connection + 1, one))
        }
        #expect(waits == [0.25, 0.5, 1, 2, 4, 8].map { .seconds($0) })
    }

    @Test func `a connection that lasted starts the waits anew`() {
        var machine = connected()
        #expect(end(&machine, 1, at: 100) == .none)
        #expect(deadline(&machine, at: 101) == .dial(connection: 2, one))
        #expect(machine.welcomed(2, heartbeat: nil, now: at(101)) == .none)
        #expect(end(&machine, 2, at: 200) == .none)
        #expect(machine.nextDeadline == at(200.25))
    }

    @Test func `a server's wait is kept, and the jitter comes on top`() {
        var machine = fetched()
        #expect(end(&machine, 1, ConnectionEnd(number: 4011, retryAfter: .seconds(20)), at: 0, random: 0) == .none)
        #expect(machine.nextDeadline == at(20))
        // Overloaded: the neighbours are asked first.
        #expect(deadline(&machine, at: 20) == .dial(connection: 2, two))
    }

    @Test func `a draining node is left for an alternative`() {
        var machine = connected()
        #expect(end(&machine, 1, ConnectionEnd(number: 4000), at: 100, random: 0) == .none)
        #expect(machine.nextDeadline == at(101))
        #expect(deadline(&machine, at: 101) == .dial(connection: 2, two))
    }

    @Test func `never means never`() {
        for number in [4001, 4003, 4014] as [UInt16] {
            var machine = connected()
            guard case .finish(.rejected(_, number, _)) = end(&machine, 1, ConnectionEnd(number: number), at: 10) else {
                Issue.record("\(number) did not close the client")
                continue
            }
            #expect(machine.nextDeadline == nil)
            #expect(deadline(&machine, at: 1000) == .none)
        }
    }

    @Test func `a refused token leads to a new one, and the same one again closes the client`() {
        var machine = fetched()
        #expect(end(&machine, 1, ConnectionEnd(number: 4005), at: 0) == .none)
        #expect(deadline(&machine, at: 0.25) == .fetchToken)
        #expect(
            machine.tokenFetched(token("t2"), lifetime: .seconds(3600), now: at(1), random: 0)
                == .dial(connection: 2, one))
        #expect(end(&machine, 2, ConnectionEnd(number: 4006), at: 2) == .none)
        #expect(deadline(&machine, at: 3) == .fetchToken)
        #expect(
            machine.tokenFetched(token("t2"), lifetime: .seconds(3600), now: at(3), random: 0)
                == .finish(.tokenRefused(code: "token_invalid")))
    }

    @Test func `refused credentials close the client, an unreachable service is asked again`() {
        var machine = ClientStateMachine(welcomeTimeout: .seconds(15))
        #expect(machine.start() == .fetchToken)
        let away = PushClientError(.unavailable, "", retryAfter: .seconds(3))
        #expect(machine.tokenFailed(away, now: at(0), random: 0.5) == .none)
        #expect(machine.nextDeadline == at(3.25))
        #expect(deadline(&machine, at: 3.25) == .fetchToken)
        let refused = PushClientError(.refused, "", code: "unauthorized")
        #expect(
            machine.tokenFailed(refused, now: at(4), random: 0.5) == .finish(.tokenRefused(code: "unauthorized")))
    }

    @Test func `the token is renewed while connected, before it ends`() {
        var machine = connected()
        machine.heard(1, now: at(2699))
        // 75 % of an hour, as random is 0.
        #expect(machine.nextDeadline == at(2700))
        #expect(deadline(&machine, at: 2700) == .fetchToken)
        #expect(deadline(&machine, at: 2701) == .none)
        #expect(
            machine.tokenFetched(token("t2"), lifetime: .seconds(3600), now: at(2702), random: 0)
                == .presentToken(connection: 1, token: "t2"))
    }

    @Test func `a renewal that fails is tried again, and the connection stays`() {
        var machine = connected()
        machine.heard(1, now: at(2699))
        #expect(deadline(&machine, at: 2700) == .fetchToken)
        #expect(machine.tokenFailed(PushClientError(.unavailable, ""), now: at(2700), random: 0.5) == .none)
        #expect(machine.nextDeadline == at(2701.25))
        #expect(deadline(&machine, at: 2701.25) == .fetchToken)
    }

    @Test func `a lost connection with a token about to end fetches a new one`() {
        var machine = connected()
        #expect(end(&machine, 1, at: 3599) == .none)
        #expect(deadline(&machine, at: 3600) == .fetchToken)
    }

    @Test func `a clock that is wrong by hours does not make a loop of fetches`() {
        var machine = ClientStateMachine(welcomeTimeout: .seconds(15))
        #expect(machine.start() == .fetchToken)
        #expect(
            machine.tokenFetched(token(), lifetime: .seconds(-7200), now: at(0), random: 0)
                == .dial(connection: 1, one))
        #expect(machine.welcomed(1, heartbeat: nil, now: at(0)) == .none)
        #expect(machine.nextDeadline == at(7.5))
    }

    @Test func `a silent server is asked, then dropped`() {
        var machine = connected()
        #expect(machine.nextDeadline == at(37.5))
        #expect(deadline(&machine, at: 37.5) == .ping(connection: 1))
        #expect(machine.nextDeadline == at(47.5))
        #expect(deadline(&machine, at: 47.5) == .drop(connection: 1))
        #expect(deadline(&machine, at: 48) == .dial(connection: 2, one))
    }

    @Test func `a sign of life puts the question off`() {
        var machine = connected()
        machine.heard(1, now: at(30))
        #expect(deadline(&machine, at: 37.5) == .none)
        #expect(machine.nextDeadline == at(67.5))
    }

    @Test func `silence while the application does not read says nothing`() {
        var machine = connected()
        #expect(machine.deadlineReached(now: at(100), random: 0.5, isReadingPaused: true) == .none)
        #expect(machine.nextDeadline == at(137.5))
    }

    @Test func `a move keeps the old connection until the new one is welcomed`() {
        var machine = connected()
        machine.moveAsked(1, to: three, after: .seconds(4), now: at(10))
        #expect(machine.nextDeadline == at(14))
        #expect(deadline(&machine, at: 14) == .dial(connection: 2, three))
        #expect(machine.concerns(1))
        #expect(machine.opened(2) == .hello(connection: 2, token: "t1"))
        #expect(machine.welcomed(2, heartbeat: nil, now: at(15)) == .leave(connection: 1))
        #expect(!machine.concerns(1))
        // From here on it is the third node that is dialled first.
        #expect(end(&machine, 1, at: 15) == .none)
        #expect(end(&machine, 2, at: 60) == .none)
        #expect(deadline(&machine, at: 61) == .dial(connection: 3, three))
    }

    @Test func `the old connection may end as replaced during a move`() {
        var machine = connected()
        machine.moveAsked(1, to: three, after: .zero, now: at(10))
        #expect(deadline(&machine, at: 10) == .dial(connection: 2, three))
        #expect(machine.opened(2) == .hello(connection: 2, token: "t1"))
        #expect(end(&machine, 1, ConnectionEnd(number: 4001), at: 11) == .none)
        #expect(machine.welcomed(2, heartbeat: nil, now: at(11)) == .none)
        #expect(machine.concerns(2))
    }

    @Test func `a move that fails leaves the old connection as it is`() {
        var machine = connected()
        machine.moveAsked(1, to: three, after: .zero, now: at(10))
        #expect(deadline(&machine, at: 10) == .dial(connection: 2, three))
        #expect(end(&machine, 2, at: 11) == .none)
        #expect(machine.concerns(1))
        #expect(!machine.concerns(2))
    }

    @Test func `news of unknown connections is ignored`() {
        var machine = connected()
        #expect(end(&machine, 7, ConnectionEnd(number: 4001), at: 1) == .none)
        #expect(machine.welcomed(7, heartbeat: nil, now: at(1)) == .none)
        #expect(machine.opened(7) == .drop(connection: 7))
        #expect(machine.concerns(1))
    }

    @Test func `after the close nothing is done any more`() {
        var machine = fetched()
        #expect(machine.close() == .finish(.closedByUser))
        #expect(machine.opened(1) == .drop(connection: 1))
        #expect(machine.welcomed(1, heartbeat: nil, now: at(1)) == .none)
        #expect(end(&machine, 1, at: 1) == .none)
        #expect(machine.tokenFetched(token("t2"), lifetime: .seconds(60), now: at(1), random: 0) == .none)
        #expect(machine.tokenFailed(PushClientError(.unavailable, ""), now: at(1), random: 0) == .none)
    }
}
