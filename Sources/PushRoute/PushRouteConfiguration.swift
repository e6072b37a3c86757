import Common
import HTTPSupport

/// What a PushRoute is told at its start. Defaults are those of a small deployment.
package struct PushRouteConfiguration: Sendable {
    /// This process's life; its node id is the name in the registry.
    package var incarnation: Incarnation
    package var listen: HostPort
    package var keys: APIKeys
    /// What the keys may send a second; their pushes and their jobs share it.
    package let paces: KeyPaces
    package var proxies = TrustedProxies.none
    package var limits = Limits.default
    package var dispatch = Dispatcher.Configuration()
    package var admission = PushAdmission.Configuration()
    package var janitor = Janitor.Configuration()
    package var runner = JobRunner.Configuration()
    package var keeper = JobKeeper.Configuration()
    /// What topics keep; the same in all processes.
    package var topicRules = TopicRules.none
    package var zone: String?
    package var version: String
    /// Unix time, in seconds.
    package var startedAt: UInt64

    package init(
        incarnation: Incarnation, listen: HostPort, keys: APIKeys, limits: Limits = .default, zone: String? = nil,
        version: String, startedAt: UInt64
    ) {
        self.incarnation = incarnation
        self.listen = listen
        self.keys = keys
        paces = KeyPaces(keys.rates)
        self.limits = limits
        self.zone = zone
        self.version = version
        self.startedAt = startedAt
        dispatch.limits = limits
    }

    /// The entry in the registry.
    var member: Member {
        Member(
            incarnation: incarnation, weight: 0, capacity: 0, zone: zone, endpoints: Endpoints(), version: version,
            startedAt: startedAt)
    }
}
