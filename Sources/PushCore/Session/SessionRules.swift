import Common
import NIOCore

/// What all sessions of a node have in common: the limits, in the units that the machines work in. A class, so that
/// each session holds eight bytes of it.
package final class SessionRules: Sendable {
    package let authenticationDeadline: TimeAmount
    package let heartbeat: TimeAmount
    package let heartbeatJitter: Double
    package let heartbeatGrace: TimeAmount
    /// For `Liveness.afterDelivery`.
    package let pingAfterDelivery: TimeAmount
    package let writeStallMax: TimeAmount
    package let outbox: Outbox.Bounds
    package let pace: RateLimiter.Pace
    /// How long a connection may stay over its pace, paused again and again, before it ends (RELIABILITY: 30 s).
    package let overPaceMax: TimeAmount
    /// How long the other side may take to answer our last words.
    package let closeGrace: TimeAmount
    package let inbox: InboxFlow.Rules
    package let topicsPerSessionMax: Int

    package init(
        limits: Limits, overflow: Outbox.Policy, overPaceMax: Duration = .seconds(30),
        pingAfterDelivery: Duration = .seconds(30)
    ) {
        self.pingAfterDelivery = TimeAmount(pingAfterDelivery)
        authenticationDeadline = TimeAmount(limits.authenticationDeadline)
        heartbeat = TimeAmount(limits.heartbeat)
        heartbeatJitter = limits.heartbeatJitter
        heartbeatGrace = TimeAmount(limits.heartbeatGrace)
        writeStallMax = TimeAmount(limits.writeStallMax)
        outbox = Outbox.Bounds(
            policy: overflow, messagesMax: limits.outboxMessagesMax, bytesMax: limits.outboxBytesMax)
        pace = RateLimiter.Pace(perSecond: limits.messagesPerSecondMax, burst: limits.messagesBurstMax)
        self.overPaceMax = TimeAmount(overPaceMax)
        closeGrace = .seconds(2)
        topicsPerSessionMax = limits.topicsPerSessionMax
        inbox = InboxFlow.Rules(
            windowMax: limits.inFlightMax, acknowledgementTimeout: TimeAmount(limits.acknowledgementTimeout))
    }
}
