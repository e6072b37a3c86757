import Common
import PushCore

/// What every shard needs to know to speak with devices.
struct SessionSettings: Sendable {
    let rules: SessionRules
    let heartbeat: Duration
    let selector: FrontendSelector

    init(
        limits: Limits, overflow: Outbox.Policy, allowedOrigins: Set<String>,
        subprotocols: [any WebSocketSubprotocol.Type], isEveryPath: Bool = false,
        overPaceMax: Duration = .seconds(30), janus: JanusConfiguration? = nil
    ) {
        rules = SessionRules(
            limits: limits, overflow: overflow, overPaceMax: overPaceMax,
            pingAfterDelivery: janus?.pingAfterDelivery ?? .seconds(30))
        heartbeat = limits.heartbeat
        selector = FrontendSelector(
            http: HTTPOpening(
                allowedOrigins: allowedOrigins,
                limits: WebSocketLimits(
                    messageBytesMax: limits.inboundMessageBytesMax, fragmentsMax: limits.fragmentsPerMessageMax),
                subprotocols: subprotocols, isEveryPath: isEveryPath),
            requestHeadBytesMax: limits.requestHeadBytesMax,
            janus: janus.map { janus in
                JanusRules(
                    frameBytesMax: limits.inboundMessageBytesMax, permissions: SessionPermissions(janus.permissions),
                    clock: WallClock.microseconds)
            })
    }
}
