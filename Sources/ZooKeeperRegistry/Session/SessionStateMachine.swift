import Common

/// What the library says about a session, in our words.
enum SessionEvent: Equatable, Sendable {
    /// In touch. `timeout` is what the ensemble granted.
    case connected(session: Int64, timeout: Duration)
    /// Out of touch; the library is looking for a server by itself.
    case connecting
    /// The ensemble has ended the session. It says so only once we are in touch again.
    case expired
    /// The ensemble does not take our credentials.
    case authenticationFailed
}

/// The life of our sessions, one after the other. No I/O and no clock.
///
/// The library keeps one session through reconnects, but hears of an expiry only from a server. While no server
/// answers, the others may long have buried us. So there is a deadline of our own, at 4/3 of the session timeout after
/// contact was lost: then the handle is given up, and a new one starts with nothing remembered. That also gets us out
/// when an ensemble lost its data: to a handle that has seen newer transactions, its servers refuse every connection.
struct SessionStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum State: Equatable {
        /// No handle. → `connecting` (opened), `closed`.
        case idle
        /// A handle without a session yet. → `connected`, `idle` (credentials refused), `closed`. Has no deadline: with
        /// nothing to lose, the library may try for ever.
        case connecting
        /// In touch. → `disconnected`, `idle` (expired), `closed`.
        case connected(session: Int64, timeout: Duration)
        /// Out of touch. → `connected` (the same session), `idle` (expired, or the deadline), `closed`.
        case disconnected(session: Int64, deadline: Instant)
        /// The end.
        case closed
    }

    private(set) var state: State = .idle
    /// Whether there ever was a session: the next new one then follows an expiry.
    private var hadSession = false

    enum EventAction: Equatable {
        case none
        case announce(RegistryState, session: Int64)
        /// Tell that we are out of touch, and call `deadlineReached` then.
        case announceLoss(deadline: Instant)
        /// Close the handle and, after a pause, open a new one.
        case replaceHandle(ReplaceReason)
    }

    enum DeadlineAction: Equatable {
        case none
        case replaceHandle(ReplaceReason)
    }

    enum ReplaceReason: String, Equatable {
        case expired
        case deadline = "no contact for 4/3 of the session timeout"
        case authenticationFailed = "authentication failed"
    }

    /// A handle is there.
    mutating func opened() {
        if state == .idle { state = .connecting }
    }

    mutating func received(_ event: SessionEvent, now: Instant) -> EventAction {
        switch (state, event) {
        // Nothing is expected of a handle that is being closed.
        case (.idle, _), (.closed, _):
            return .none

        case (_, .expired):
            state = .idle
            return .replaceHandle(.expired)

        case (_, .authenticationFailed):
            state = .idle
            return .replaceHandle(.authenticationFailed)

        case (.connecting, .connected(let session, let timeout)):
            let afterExpiry = hadSession
            hadSession = true
            state = .connected(session: session, timeout: timeout)
            return .announce(.connected(afterExpiry: afterExpiry), session: session)

        case (.disconnected, .connected(let session, let timeout)), (.connected, .connected(let session, let timeout)):
            state = .connected(session: session, timeout: timeout)
            return .announce(.connected(afterExpiry: false), session: session)

        case (.connected(let session, let timeout), .connecting):
            let deadline = now.advanced(by: timeout * 4 / 3)
            state = .disconnected(session: session, deadline: deadline)
            return .announceLoss(deadline: deadline)

        case (.connecting, .connecting), (.disconnected, .connecting):
            return .none
        }
    }

    mutating func deadlineReached(now: Instant) -> DeadlineAction {
        guard case .disconnected(_, let deadline) = state, deadline <= now else { return .none }
        state = .idle
        return .replaceHandle(.deadline)
    }

    mutating func closed() { state = .closed }
}
