import Common
import PushCore

/// What a push server is told at its start. The keys are those of `Common/Configuration`.
package struct PushServerConfiguration: Sendable {
    package var node: NodeID
    package var zone: String?
    package var weight = 100
    /// Sessions the node is willing to hold; 0 takes what its descriptors allow.
    package var capacity = 0
    /// Device port.
    package var listen = HostPort(host: "0.0.0.0", port: 8300)
    /// For the other roles.
    package var grpcListen = HostPort(host: "0.0.0.0", port: 8301)
    /// Health and metrics.
    package var opsListen = HostPort(host: "0.0.0.0", port: 8302)
    /// What devices dial; derived from `listen` when nil.
    package var advertisedWebSocket: String?
    /// What the other roles dial; derived from `grpcListen` when nil.
    package var advertisedGRPC: String?
    package var overflow: Outbox.Policy = .disconnect
    /// Origins browsers may come from; empty allows all.
    package var allowedOrigins: Set<String> = []
    /// Balancers whose connections begin with a PROXY header.
    package var trustedProxies: [AddressBlock] = []
    /// Event loops; 0 takes one per core.
    package var threads = 0
    /// PEM files; TLS is on when both are set.
    package var tlsCertificate: String?
    package var tlsKey: String?
    /// How often sessions and routes are compared.
    package var reconcileInterval: Duration = .seconds(30)
    /// How often the node reports its load and asks for revocations.
    package var beat: Duration = .seconds(2)
    /// How long a connection may stay over its pace before it ends.
    package var overPaceMax: Duration = .seconds(30)
    /// How long a stopping node lets its devices leave.
    package var drainTime: Duration = .seconds(5)
    /// Who is told when devices come and go; nil when nobody is.
    package var presence: PresenceConfiguration?
    /// Nil when Janus is not spoken: it has no token.
    package var janus: JanusConfiguration?
    /// What topics keep, and which are merged.
    package var topicRules = TopicRules.none
    package var limits = Limits.default
    package var version = "dev"

    package init(node: NodeID) { self.node = node }
}

/// Sessions without a token, in the protocol of hotwheels.
package struct JanusConfiguration: Sendable {
    /// What everybody may do who speaks it.
    package var permissions: Permissions
    /// A port where nothing else is spoken, without TLS, and the greeting leaves at accept; nil for the device port
    /// alone.
    package var listen: HostPort?
    /// What clients dial; derived from `listen` when nil.
    package var advertised: String?
    /// The ping after the last delivery.
    package var pingAfterDelivery: Duration = .seconds(30)

    package init(permissions: Permissions) { self.permissions = permissions }
}
