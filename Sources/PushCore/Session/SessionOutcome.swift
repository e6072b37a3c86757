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

/// What became of a hello.
package enum LoginOutcome: Equatable, Sendable {
    /// The route is claimed, or will be when the store is back (its epoch is then `.none`).
    case granted(SessionIdentity, tokenEnd: NIODeadline)
    case refused(CloseReason)

    var leftOver: SessionStateMachine.LoginAction {
        if case .granted(let identity, _) = self { .release(identity) } else { .none }
    }
}
