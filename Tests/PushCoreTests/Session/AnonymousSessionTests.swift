import Common
import NIOCore
import PushCore
import Testing

/// Sessions without a token, and the heartbeat that counts from deliveries.
struct AnonymousSessionTests {
    private static let permissions = SessionPermissions(Permissions(publish: ["room/#"], subscribe: ["room/+"]))
    private static let identity = SessionIdentity.anonymous(
        SessionID(high: 1, low: 2), on: Incarnation(node: NodeID(unchecked: "n1"), life: 1), permissions: permissions)

    private func live() -> Transcript {
        let session = Transcript()
        #expect(session.received(.enter(anonymous: Self.permissions), at: 0) == .enter(Self.permissions))
        let outcome = LoginOutcome.granted(Self.identity, tokenEnd: .distantFuture, inbox: .none)
        #expect(session.loginFinished(outcome, at: 0, liveness: .afterDelivery) == .welcome(Self.identity, .nothing))
        return session
    }

    @Test func itHasNoNameThatAClientCanHave() {
        #expect(Self.identity.isAnonymous)
        #expect(!Sample.identity.isAnonymous)
        #expect(throws: WindfireError.self) { try ClientID(Self.identity.client.text) }
        #expect(Self.identity.route.epoch == .none)
    }

    @Test func whoWasNeverDeliveredAnythingIsNeverPingedAndNeverGivenUp() {
        let session = live()
        #expect(session.nextDeadline == nil)
        #expect(session.deadline(at: 1_000_000) == .none)
        #expect(session.received(.heard, at: 1_000_001) == .none)
        #expect(session.nextDeadline == nil)
    }

    @Test func onePing30SecondsAfterTheLastDelivery() {
        let session = live()
        session.delivered(at: 10)
        #expect(session.nextDeadline == 40)
        session.delivered(at: 20)
        #expect(session.received(.heard, at: 45) == .none)
        #expect(session.nextDeadline == 50, "what it says changes nothing")
        #expect(session.deadline(at: 49.999) == .none)
        #expect(session.deadline(at: 50) == .ping)
        #expect(session.nextDeadline == nil, "once, and nobody has to answer")
        #expect(session.deadline(at: 100_000) == .none)
        session.delivered(at: 100_001)
        #expect(session.deadline(at: 100_031) == .ping)
    }

    @Test func deliveriesMoveNoOtherHeartbeat() {
        let session = Transcript.live()
        session.delivered(at: 20)
        #expect(session.nextDeadline == 25)
    }

    @Test func itsPermissionsHold() {
        let session = live()
        let room = TopicPattern(unchecked: "room/1")
        #expect(session.received(.subscribe(room, ref: nil), at: 1) == .subscribe(room, since: nil, ref: nil))
        for event in [
            SessionEvent.subscribe(TopicPattern(unchecked: "other"), ref: nil),
            .publish(Topic(unchecked: "other"), data: ByteBuffer(), ref: nil),
        ] {
            guard case .send(.error(.forbidden, message: _, ref: nil)) = session.received(event, at: 1) else {
                Issue.record("not refused: \(event)")
                continue
            }
        }
    }

    @Test func itsPaceHolds() {
        var limits = Limits.default
        limits.messagesPerSecondMax = 1
        limits.messagesBurstMax = 5
        let session = Transcript(limits: limits)
        _ = session.received(.enter(anonymous: Self.permissions), at: 0)
        _ = session.loginFinished(
            .granted(Self.identity, tokenEnd: .distantFuture, inbox: .none), at: 0, liveness: .afterDelivery)
        #expect(session.counted(5, at: 0) == .proceed)
        #expect(session.counted(1, at: 0) == .pause)
        #expect(session.nextDeadline == 1)
        #expect(session.deadline(at: 1) == .resumeReading)
        #expect(session.nextDeadline == nil)
    }

    @Test func whoHasFinishedIsEndedWithoutWaiting() {
        let session = live()
        #expect(session.received(.finished, at: 1) == .finish(Ending(reason: .clientLeft, identity: Self.identity)))
        #expect(session.deadline(at: 3) == .disconnect)
    }

    @Test func enteringHappensOnce() {
        let session = live()
        let ending = Ending(reason: .protocolViolation, identity: Self.identity)
        #expect(session.received(.enter(anonymous: Self.permissions), at: 1) == .end(ending))
        let authenticating = Transcript()
        _ = authenticating.received(.hello(token: "t", device: nil), at: 0)
        #expect(
            authenticating.received(.enter(anonymous: Self.permissions), at: 1)
                == .end(Ending(reason: .protocolViolation, identity: nil)))
    }
}
