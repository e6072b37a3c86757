/// How a session finds out whether its device is there. The protocol decides, since both sides must know it.
package enum Liveness: Equatable, Sendable {
    /// A ping when nothing was heard for a heartbeat; without an answer within the grace, the end.
    case answered
    /// One ping when a while has passed since the last delivery, which sets it up again. Nobody has to answer, and a
    /// device that was never delivered anything is never pinged: only TCP tells that it is gone.
    case afterDelivery
}
