import Common
import NIOCore
import PushCore
import Testing

/// From accept to welcome, and every way that does not lead there.
struct SessionLoginTests {
    private let hello = SessionEvent.hello(token: "t", device: DeviceID(unchecked: "phone"))
    private let granted = LoginOutcome.granted(Sample.identity, tokenEnd: Transcript.time(3600))

    @Test func helloIsVerifiedAndWelcomed() {
        let session = Transcript()
        #expect(
            session.received(hello, at: 1) == .login(token: "t", device: DeviceID(unchecked: "phone"), takesInbox: true)
        )
        #expect(session.loginFinished(granted, at: 1.5) == .welcome(Sample.identity, .nothing))
        #expect(session.nextDeadline == 26.5)
        #expect(session.connectionClosed() == Sample.identity)
    }

    @Test func helloTwiceBeforeTheAnswerEndsIt() {
        let session = Transcript()
        _ = session.received(hello, at: 1)
        #expect(session.received(hello, at: 1.1) == .end(Ending(reason: .protocolViolation, identity: nil)))
    }

    @Test func helloTwiceAfterTheWelcomeEndsIt() {
        let session = Transcript.live()
        #expect(session.received(hello, at: 2) == .end(Ending(reason: .protocolViolation, identity: Sample.identity)))
    }

    @Test func withoutAHelloItEndsFiveSecondsAfterAcceptHoweverManyBytesDripIn() {
        let session = Transcript()
        for tenth in 1..<50 {
            #expect(session.received(.heard, at: Double(tenth) / 10) == .none)
            #expect(session.nextDeadline == 5)
        }
        #expect(session.deadline(at: 4.999_999_999) == .none)
        #expect(session.deadline(at: 5) == .end(Ending(reason: .authenticationTimeout, identity: nil)))
    }

    @Test func aLoginThatTakesTooLongEndsAtTheSameTime() {
        let session = Transcript()
        _ = session.received(hello, at: 4)
        #expect(session.nextDeadline == 5)
        #expect(session.deadline(at: 4.9) == .none)
        #expect(session.deadline(at: 5) == .end(Ending(reason: .authenticationTimeout, identity: nil)))
    }

    @Test func requestsBeforeLoginAreRefusedByTheirRef() {
        let refused = { (ref: Reference?) in
            SessionStateMachine.EventAction.send(
                .error(.notAuthenticated, message: "Say hello with a token first.", ref: ref))
        }
        let requests: [(SessionEvent, Reference?)] = [
            (.send(to: ClientID(unchecked: "bob"), data: ByteBuffer(), ref: Sample.ref("3")), Sample.ref("3")),
            (.renew(token: "t", ref: Sample.ref("\"r\"")), Sample.ref("\"r\"")),
            (.acknowledge(MessageID(unchecked: "m")), nil),
        ]
        let session = Transcript()
        for (event, ref) in requests { #expect(session.received(event, at: 1) == refused(ref)) }
        _ = session.received(hello, at: 2)
        for (event, ref) in requests { #expect(session.received(event, at: 3) == refused(ref)) }
    }

    @Test func whatAsksForNothingIsAnsweredBeforeLoginToo() {
        let session = Transcript()
        let bytes = ByteBuffer(string: "pong")
        let wrong = WindfireError(.invalidJSON, "no")
        #expect(session.received(.ping, at: 1) == .send(.pong))
        #expect(session.received(.reply(bytes), at: 1) == .write(bytes))
        #expect(
            session.received(.invalid(wrong, ref: Sample.ref("1")), at: 1)
                == .send(.error(.invalidJSON, message: "no", ref: Sample.ref("1"))))
    }

    @Test(arguments: [
        CloseReason.tokenInvalid, .tokenExpired, .tokenRevoked, .conflict, .superseded, .replaced, .internalError,
    ])
    func aRefusedLoginEndsForItsReason(_ reason: CloseReason) {
        let session = Transcript()
        _ = session.received(hello, at: 1)
        #expect(session.loginFinished(.refused(reason), at: 2) == .end(Ending(reason: reason, identity: nil)))
        #expect(session.connectionClosed() == nil)
    }

    @Test func aRouteClaimedForADeviceThatSaidGoodbyeIsReleased() {
        let session = Transcript()
        _ = session.received(hello, at: 1)
        let left = Ending(reason: .clientLeft, identity: nil)
        #expect(session.received(.leaving(reply: ByteBuffer()), at: 2) == .leave(left, reply: ByteBuffer()))
        #expect(session.loginFinished(granted, at: 3) == .release(Sample.identity))
    }

    @Test func aRouteClaimedForABrokenConnectionIsReleased() {
        let session = Transcript()
        _ = session.received(hello, at: 1)
        #expect(session.connectionClosed() == nil)
        #expect(session.nextDeadline == nil)
        #expect(session.loginFinished(granted, at: 3) == .release(Sample.identity))
    }

    @Test func aRefusalThatComesTooLateChangesNothing() {
        let session = Transcript()
        _ = session.received(hello, at: 1)
        _ = session.deadline(at: 5)
        #expect(session.loginFinished(.refused(.tokenInvalid), at: 6) == .none)
    }
}
