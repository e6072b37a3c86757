// The values that pass between a session and whoever serves it: how a login went, and how the session ended.

import Common
import NIOCore

/// How a session ends: why, and who it was if it was anyone. Its route is released and its place given up at once; the
/// connection itself may live on for the last words.
package struct Ending: Equatable, Sendable {
    package let reason: CloseReason
    package let identity: SessionIdentity?

    package init(reason: CloseReason, identity: SessionIdentity?) {
        self.reason = reason
        self.identity = identity
    }
}

/// What a session begins with of its client's stored messages.
package enum InboxOpening: Equatable, Sendable {
    /// The device takes none.
    case none
    /// What the claim answered with.
    case page(InboxPage)
    /// The store did not say: the claim that is made up for later does.
    case unknown
}

/// What became of a hello.
package enum LoginOutcome: Equatable, Sendable {
    /// The route is claimed, or will be when the store is back (its epoch is then `.none`).
    case granted(SessionIdentity, tokenEnd: NIODeadline, inbox: InboxOpening = .page(.empty))
    case refused(CloseReason)

    var leftOver: SessionStateMachine.LoginAction {
        if case .granted(let identity, _, _) = self { .release(identity) } else { .none }
    }
}
