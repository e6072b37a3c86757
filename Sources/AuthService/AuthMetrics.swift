import Common
import HTTPSupport

/// What `/metrics` tells about logins.
struct AuthMetrics: Sendable {
    let registry: PrometheusRegistry
    let issued: PrometheusCounter
    let refreshed: PrometheusCounter
    let revocations: PrometheusCounter

    init(_ registry: PrometheusRegistry, directory: NodeDirectory, keys: KeyKeeper) {
        self.registry = registry
        let help = "Tokens issued, by occasion."
        issued = registry.counter("windfire_tokens_issued_total", help: help, labels: ["kind": "login"])
        refreshed = registry.counter("windfire_tokens_issued_total", help: help, labels: ["kind": "refresh"])
        revocations = registry.counter("windfire_revocations_total", help: "Clients whose tokens were revoked.")
        registry.collect("windfire_node_weight", help: "Effective weight of push servers as logins see it.") {
            directory.nodes.map { .init(["node": $0.id.text], $0.isEligible ? $0.effectiveWeight : 0) }
        }
        registry.collect("windfire_signing_keys", help: "Signing keys that are published.") {
            [.init([:], Double(keys.signing.published.count))]
        }
    }

    func assigned(_ node: NodeID) {
        registry.counter(
            "windfire_assignments_total", help: "Logins sent to each push server.", labels: ["node": node.text]
        ).increment()
    }

    func refused(_ failure: WindfireError) {
        registry.counter(
            "windfire_tokens_refused_total", help: "Tokens refused, by reason.", labels: ["reason": failure.code.name]
        ).increment()
    }
}
