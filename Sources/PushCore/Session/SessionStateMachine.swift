import Common
import NIOCore

/// What one connection's session does, without I/O and without a clock: events, deliveries and deadlines go in, actions
/// come out. `SessionHandler` feeds it and performs what it says.
///
/// ```
/// opening ──hello──► authenticating ──granted──► live ──► closing ──► closed
///    └─────────────────────┴───── refused, late, broken ─────┘
/// ```
package struct SessionStateMachine: ~Copyable {
    enum State: ~Copyable {
        /// Accepted; nothing believed yet. To `authenticating`, or to `closing` at the deadline.
        case opening(authenticateBy: NIODeadline)
        /// The token is being verified and the route claimed. To `live`, `closing`, or `closed` when the device leaves.
        case authenticating(authenticateBy: NIODeadline)
        /// Routed: messages flow. To `closing`, or to `closed` when the connection breaks.
        case live(LiveSession)
        /// The last words are written; the other side may answer until the deadline. To `closed`.
        case closing(until: NIODeadline)
        /// The connection is gone.
        case closed
    }

    let rules: SessionRules
    private(set) var state: State

    package init(rules: SessionRules, acceptedAt now: NIODeadline) {
        self.init(rules, .opening(authenticateBy: now + rules.authenticationDeadline))
    }

    /// A consumed state is put back with the whole value: a path that forgets it does not compile.
    private init(_ rules: SessionRules, _ state: consuming State) {
        self.rules = rules
        self.state = state
    }

    // MARK: What the device does

    package enum EventAction: Equatable {
        case none
        case login(token: String, device: DeviceID?, takesInbox: Bool)
        case enter(SessionPermissions)
        case renew(token: String, ref: Reference?)
        case forward(to: ClientID, data: ByteBuffer, ref: Reference?)
        case subscribe(TopicPattern, since: HistoryPosition?, ref: Reference?)
        case unsubscribe(TopicPattern, ref: Reference?)
        case publish(Topic, data: ByteBuffer, ref: Reference?)
        /// A live message, or one of the inbox: then there may be more to do.
        case acknowledged(InboxFlow.Step)
        case send(SessionCommand)
        case write(ByteBuffer)
        case end(Ending)
        /// The device ends the connection itself: what its protocol wants to hear, then the end.
        case leave(Ending, reply: ByteBuffer)
        /// All is said, and no answer is waited for.
        case finish(Ending)
        /// Both sides have said their last words.
        case disconnect
    }

    package mutating func received(_ event: SessionEvent, now: NIODeadline) -> EventAction {
        let rules = rules
        switch consume state {
        case .opening(let deadline):
            switch event {
            case .hello(let token, let device, let takesInbox):
                self = Self(rules, .authenticating(authenticateBy: deadline))
                return .login(token: token, device: device, takesInbox: takesInbox)
            case .enter(let permissions):
                self = Self(rules, .authenticating(authenticateBy: deadline))
                return .enter(permissions)
            default:
                self = Self(rules, .opening(authenticateBy: deadline))
                return receivedBeforeLogin(event, now: now)
            }
        case .authenticating(let deadline):
            self = Self(rules, .authenticating(authenticateBy: deadline))
            switch event {
            case .hello, .enter: return .end(end(for: .protocolViolation, now: now))
            default: return receivedBeforeLogin(event, now: now)
            }
        case .live(var session):
            session.heard(at: now)
            self = Self(rules, .live(session))
            return receivedWhileLive(event, now: now)
        case .closing(let deadline):
            self = Self(rules, .closing(until: deadline))
            // The answer to our last words: the end need not wait for the deadline.
            if case .leaving = event { return .disconnect }
            return .none
        case .closed:
            self = Self(rules, .closed)
            return .none
        }
    }

    private mutating func receivedBeforeLogin(_ event: SessionEvent, now: NIODeadline) -> EventAction {
        switch event {
        case .reply(let bytes): .write(bytes)
        case .ping: .send(.pong)
        case .heard: .none
        case .invalid(let error, let ref): .send(.error(error.code, message: error.message, ref: ref))
        case .leaving(let reply): .leave(end(for: .clientLeft, now: now), reply: reply)
        case .finished: .finish(end(for: .clientLeft, now: now))
        case .hello, .enter, .renew, .acknowledge, .send, .subscribe, .unsubscribe, .publish:
            .send(.error(.notAuthenticated, message: FailureCode.notAuthenticated.title, ref: event.reference))
        }
    }

    private mutating func receivedWhileLive(_ event: SessionEvent, now: NIODeadline) -> EventAction {
        switch event {
        case .hello, .enter: .end(end(for: .protocolViolation, now: now))
        case .renew(let token, let ref): .renew(token: token, ref: ref)
        case .acknowledge(let id): .acknowledged(acknowledge(id, now: now))
        case .send(let to, let data, let ref): .forward(to: to, data: data, ref: ref)
        case .subscribe(let pattern, let since, let ref): subscribe(pattern, since: since, ref: ref)
        case .unsubscribe(let pattern, let ref): .unsubscribe(pattern, ref: ref)
        case .publish(let topic, let data, let ref): publish(topic, data, ref: ref)
        case .ping: .send(.pong)
        case .heard: .none
        case .invalid(let error, let ref): .send(.error(error.code, message: error.message, ref: ref))
        case .reply(let bytes): .write(bytes)
        case .leaving(let reply): .leave(end(for: .clientLeft, now: now), reply: reply)
        case .finished: .finish(end(for: .clientLeft, now: now))
        }
    }

    // MARK: Pace

    package enum ReadAction: Equatable {
        case proceed
        /// Read nothing more until the deadline `nextDeadline` tells.
        case pause
        case end(Ending)
    }

    /// Counts the events of one read against the connection's pace: reading pauses first, and a connection that stays
    /// over its pace ends. Acknowledgements that moved on are free.
    package mutating func countReceived(_ events: Int, now: NIODeadline) -> ReadAction {
        let rules = rules
        let verdict = withLive { $0.charge(events, now: now, rules: rules) }
        switch verdict {
        case .within, nil: return .proceed
        case .over: return .pause
        case .tooLong: return .end(end(for: .rateLimited, now: now))
        }
    }

    // MARK: Login

    package enum LoginAction: Equatable {
        case welcome(SessionIdentity, InboxFlow.Step)
        case end(Ending)
        /// The device left meanwhile: give its route back.
        case release(SessionIdentity)
        case none
    }

    /// - Parameter jitter: -1…1, this session's place in the heartbeat's spread.
    package mutating func loginFinished(
        _ outcome: LoginOutcome, now: NIODeadline, jitter: Double, liveness: Liveness = .answered
    ) -> LoginAction {
        let rules = rules
        switch consume state {
        case .authenticating(let deadline):
            switch outcome {
            case .granted(let identity, let tokenEnd, let inbox):
                var session = LiveSession(
                    identity, tokenEnd: tokenEnd, liveness: liveness, now: now, jitter: jitter, rules: rules)
                let step = session.open(inbox, now: now, rules: rules.inbox)
                self = Self(rules, .live(session))
                return .welcome(identity, step)
            case .refused(let reason):
                self = Self(rules, .authenticating(authenticateBy: deadline))
                return .end(end(for: reason, now: now))
            }
        case .closed:
            self = Self(rules, .closed)
            return outcome.leftOver
        case .closing(let deadline):
            self = Self(rules, .closing(until: deadline))
            return outcome.leftOver
        case .opening: preconditionFailure("a login finishes after it was asked for")
        case .live: preconditionFailure("a login finishes once")
        }
    }

    /// The token was renewed: the session may live until the new end, with what the new token allows.
    package mutating func renewed(_ identity: SessionIdentity, until tokenEnd: NIODeadline) {
        withLive { session in
            session.tokenEnd = tokenEnd
            session.identity = identity
        }
    }

    /// The route was claimed after all, or again under another epoch.
    package mutating func claimed(
        _ identity: SessionIdentity, inbox: InboxOpening, now: NIODeadline
    ) -> InboxFlow.Step {
        let rules = rules.inbox
        return withLive { session in
            session.identity = identity
            return session.open(inbox, now: now, rules: rules)
        } ?? .nothing
    }

    // MARK: Time

    package enum DeadlineAction: Equatable {
        case none
        case ping
        case resumeReading
        case inbox(InboxFlow.Step)
        case end(Ending)
        /// The other side had its time to answer our last words.
        case disconnect
    }

    /// - Parameter bufferedBytes: what the connection still holds back; writing progresses while it changes.
    package mutating func deadlineReached(now: NIODeadline, bufferedBytes: Int) -> DeadlineAction {
        let rules = rules
        switch consume state {
        case .opening(let deadline):
            self = Self(rules, .opening(authenticateBy: deadline))
            return deadline <= now ? .end(end(for: .authenticationTimeout, now: now)) : .none
        case .authenticating(let deadline):
            self = Self(rules, .authenticating(authenticateBy: deadline))
            return deadline <= now ? .end(end(for: .authenticationTimeout, now: now)) : .none
        case .live(var session):
            let verdict = session.deadlineReached(now: now, bufferedBytes: bufferedBytes, rules: rules)
            self = Self(rules, .live(session))
            switch verdict {
            case .nothing: return .none
            case .ping: return .ping
            case .resumeReading: return .resumeReading
            case .inbox(let step): return .inbox(step)
            case .end(let reason): return .end(end(for: reason, now: now))
            }
        case .closing(let deadline):
            self = Self(rules, .closing(until: deadline))
            return deadline <= now ? .disconnect : .none
        case .closed:
            self = Self(rules, .closed)
            return .none
        }
    }

    /// When `deadlineReached` has to be called next; nil when never.
    package var nextDeadline: NIODeadline? {
        switch state {
        case .opening(let deadline): deadline
        case .authenticating(let deadline): deadline
        case .closing(let deadline): deadline
        case .live(let session): session.nextDeadline
        case .closed: nil
        }
    }

    // MARK: The end

    /// We end it: a kick, a newer session, broken bytes, the node's own end.
    /// - Returns: nil when it is ending already.
    package mutating func close(for reason: CloseReason, now: NIODeadline) -> Ending? {
        isEnding ? nil : end(for: reason, now: now)
    }

    /// The connection is gone, with or without a word.
    /// - Returns: the session whose route is to be released, if it was one.
    package mutating func connectionClosed() -> SessionIdentity? {
        let identity = liveIdentity
        state = .closed
        return identity
    }

    mutating func end(for reason: CloseReason, now: NIODeadline) -> Ending {
        let identity = liveIdentity
        state = .closing(until: now + rules.closeGrace)
        return Ending(reason: reason, identity: identity)
    }

    private var isEnding: Bool {
        switch state {
        case .closing: true
        case .closed: true
        default: false
        }
    }

    var liveIdentity: SessionIdentity? {
        switch state {
        case .live(let session): session.identity
        default: nil
        }
    }

    /// Works on the live session in place; nil in every other state.
    @discardableResult
    mutating func withLive<Result>(_ body: (inout LiveSession) -> Result) -> Result? {
        let rules = rules
        switch consume state {
        case .live(var session):
            let result = body(&session)
            self = Self(rules, .live(session))
            return result
        case .opening(let deadline): self = Self(rules, .opening(authenticateBy: deadline))
        case .authenticating(let deadline): self = Self(rules, .authenticating(authenticateBy: deadline))
        case .closing(let deadline): self = Self(rules, .closing(until: deadline))
        case .closed: self = Self(rules, .closed)
        }
        return nil
    }
}

extension SessionEvent {
    /// What the device called its request, if it did.
    fileprivate var reference: Reference? {
        switch self {
        case .renew(_, let ref), .send(_, _, let ref), .invalid(_, let ref), .subscribe(_, _, let ref),
            .unsubscribe(_, let ref), .publish(_, _, let ref):
            ref
        case .hello, .enter, .acknowledge, .ping, .heard, .reply, .leaving, .finished: nil
        }
    }
}
