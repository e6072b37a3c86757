import Common
import NIOCore
import PushCore
import Testing

/// Heartbeats, tokens that end, and the last words.
struct SessionLivenessTests {
    private func ended(_ reason: CloseReason) -> Ending { Ending(reason: reason, identity: Sample.identity) }

    @Test(arguments: [(-1.0, 20.0), (0, 25), (1, 30)])
    func theFirstPingIsDueAfterTheSessionsOwnInterval(_ jitter: Double, _ seconds: Double) {
        let session = Transcript.live(jitter: jitter)
        #expect(session.nextDeadline == seconds)
        #expect(session.deadline(at: seconds - 0.001) == .none)
        #expect(session.deadline(at: seconds) == .ping)
    }

    @Test func anUnansweredPingEndsItTenSecondsLater() {
        let session = Transcript.live()
        #expect(session.deadline(at: 25) == .ping)
        #expect(session.nextDeadline == 35)
        #expect(session.deadline(at: 34.999) == .none)
        #expect(session.deadline(at: 35) == .end(ended(.heartbeatTimeout)))
    }

    @Test(arguments: [
        SessionEvent.heard, .ping, .acknowledge(MessageID(unchecked: "m")), .reply(ByteBuffer()),
        .invalid(WindfireError(.invalidJSON, "no"), ref: nil),
    ])
    func anythingHeardIsASignOfLife(_ event: SessionEvent) {
        let session = Transcript.live()
        _ = session.received(event, at: 10)
        #expect(session.nextDeadline == 35)
        #expect(session.deadline(at: 35) == .ping)
        _ = session.received(event, at: 44)
        #expect(session.nextDeadline == 69)
        #expect(session.deadline(at: 45) == .none)
        #expect(session.deadline(at: 69) == .ping)
    }

    @Test func aTokenThatEndsEndsTheSession() {
        let session = Transcript.live(tokenEnd: 12)
        #expect(session.nextDeadline == 12)
        #expect(session.deadline(at: 11.999) == .none)
        #expect(session.deadline(at: 12) == .end(ended(.tokenExpired)))
    }

    @Test func aRenewedTokenMovesTheEnd() {
        let session = Transcript.live(tokenEnd: 12)
        #expect(
            session.received(.renew(token: "new", ref: Sample.ref("1")), at: 10)
                == .renew(token: "new", ref: Sample.ref("1")))
        let renewed = Sample.identity.renewed(generation: Generation(1), permissions: .none)
        session.renewed(renewed, until: 20)
        #expect(session.deadline(at: 12) == .none)
        #expect(session.deadline(at: 20) == .end(Ending(reason: .tokenExpired, identity: renewed)))
    }

    @Test func aLaterClaimIsWhatIsReleased() {
        let session = Transcript.live()
        session.claimed(Sample.identity(epoch: 9))
        #expect(session.connectionClosed() == Sample.identity(epoch: 9))
    }

    @Test func aRouteIsHandedBackOnce() {
        let session = Transcript.live()
        #expect(session.close(.kicked, at: 1) == ended(.kicked))
        #expect(session.close(.nodeStopping, at: 1.1) == nil)
        #expect(session.connectionClosed() == nil)
        #expect(session.close(.kicked, at: 2) == nil)
    }

    @Test func aKickEndsOnTheOtherSidesAnswer() {
        let session = Transcript.live()
        _ = session.close(.kicked, at: 1)
        #expect(session.received(.ping, at: 1.1) == .none)
        #expect(session.received(.leaving(reply: ByteBuffer(string: "x")), at: 1.2) == .disconnect)
    }

    @Test func withoutAnAnswerItEndsAfterTheGrace() {
        let session = Transcript.live()
        _ = session.close(.kicked, at: 1)
        #expect(session.nextDeadline == 3)
        #expect(session.deadline(at: 2.999) == .none)
        #expect(session.deadline(at: 3) == .disconnect)
    }

    @Test func aDeviceThatLeavesIsAnsweredInItsProtocol() {
        let session = Transcript.live()
        let reply = ByteBuffer(string: "bye")
        #expect(session.received(.leaving(reply: reply), at: 1) == .leave(ended(.clientLeft), reply: reply))
        #expect(session.received(.ping, at: 1.5) == .none)
    }

    @Test func requestsAreForwarded() {
        let session = Transcript.live()
        let bob = ClientID(unchecked: "bob")
        let data = ByteBuffer(string: "1")
        #expect(
            session.received(.send(to: bob, data: data, ref: nil), at: 1) == .forward(to: bob, data: data, ref: nil))
        let id = MessageID(unchecked: "m1")
        #expect(session.received(.acknowledge(id), at: 1) == .acknowledged(.nothing))
        #expect(session.received(.ping, at: 1) == .send(.pong))
    }

    @Test func afterTheConnectionNothingHappens() {
        let session = Transcript.live()
        _ = session.connectionClosed()
        #expect(session.received(.ping, at: 1) == .none)
        #expect(session.deadline(at: 1000) == .none)
        #expect(session.counted(10_000, at: 1) == .proceed)
    }
}
