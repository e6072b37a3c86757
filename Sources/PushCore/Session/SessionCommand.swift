import Common
import NIOCore

/// What a session tells its device, before any encoding.
package enum SessionCommand: Equatable, Sendable {
    case welcome(SessionIdentity, heartbeat: Duration)
    case message(Message)
    /// What came for one topic within its window, and how many messages were left out of it.
    case batch(Topic, [Message], leftOut: Int)
    /// Messages of a topic were missed that cannot be replayed; what follows comes after them.
    case topicGap(Topic, HistoryGap)
    /// So many stored messages are lost to this device: its inbox was full, and they were the oldest.
    case gap(missed: Int)
    /// A request was done. `delivered` counts sessions for `send`; `expiresAt` is Unix seconds for `token`.
    case ok(ref: Reference?, delivered: Int? = nil, expiresAt: Int64? = nil)
    /// A subscription stands. `position` is where the topic's history is now, if it keeps any. `isLocal`: the route
    /// store is away, so only what is published on this node arrives until it is back.
    case subscribed(TopicPattern, ref: Reference?, position: HistoryPosition? = nil, isLocal: Bool = false)
    /// A request was refused; the connection goes on.
    case error(FailureCode, message: String, ref: Reference?)
    /// Asks whether the device is there.
    case ping
    /// Answers a device's own ping.
    case pong
    /// The last words: why, and whether to come back.
    case close(CloseReason)
}
