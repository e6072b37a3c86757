import Logging

// The manual: every key, once. The loader, `windfire config`, the help of the role commands and docs/configuration.md
// are made from these rows. To add a key, add a property: it is then read from flags, environment and file, and is
// `configuration.<section>.<property>` in code, with its type.

/// All keys. `Configuration` looks its values up by these properties.
package struct ConfigurationKeys: Sendable {
    package let registry = ConfigurationKey(
        "registry", .url(["zk"], or: ["memory:"]), default: "memory:", usedBy: [.auth, .pushServer, .pushRoute],
        "Who is there: `zk://h1:2181,h2:2181/windfire`, or `memory:` for one process.")
    package let routes = ConfigurationKey(
        "routes", .url(["redis", "rediss", "redis+cluster", "rediss+cluster"], or: ["memory:"]), default: "memory:",
        usedBy: [.auth, .pushServer, .pushRoute],
        "Where clients are connected: `redis://user:password@host:6379/0`, a cluster, or `memory:` for one process.")

    package let node = NodeKeys()
    package let cluster = ClusterKeys()
    package let zookeeper = ZooKeeperKeys()
    package let redis = RedisKeys()
    package let auth = AuthKeys()
    package let push = PushKeys()
    package let route = RouteKeys()
    package let api = APIConfigurationKeys()
    package let admin = AdminKeys()
    package let topics = TopicKeys()
    package let webhooks = WebhookKeys()
    package let log = LogConfigurationKeys()

    static let table = ConfigurationKeys()
}

/// Part of the table: `push` of `push.listen`.
package protocol ConfigurationKeySection: Sendable {}

package struct NodeKeys: ConfigurationKeySection {
    package let id = ConfigurationKey(
        "node.id", optional: .nodeID, usedBy: [.pushServer, .pushRoute],
        "Name of this process, unique among its role; the host's name when left out.")
    package let zone = ConfigurationKey(
        "node.zone", optional: .text, usedBy: [.auth, .pushServer, .pushRoute],
        "Where it stands; a client is preferably given a node of its own zone.")
    package let weight = ConfigurationKey(
        "node.weight", .integer(0...10_000), default: "100", usedBy: [.pushServer],
        "Relative share of new clients; 0 takes none.")
    package let capacity = ConfigurationKey(
        "node.capacity", .integer(0...10_000_000), default: "0", usedBy: [.pushServer],
        "Sessions it is willing to hold; 0 takes the connection limit.")
}

package struct ClusterKeys: ConfigurationKeySection {
    package let secret = ConfigurationKey(
        "cluster.secret", optional: .text, usedBy: [.auth, .pushServer, .pushRoute], isSecret: true,
        "Shared by all roles; calls between them are authenticated by it. At least 16 characters outside `dev`.")
}

package struct ZooKeeperKeys: ConfigurationKeySection {
    package let sessionTimeout = ConfigurationKey(
        "zookeeper.session-timeout", .duration(.seconds(2) ... .seconds(120)), default: "10s",
        usedBy: [.auth, .pushServer, .pushRoute],
        "How long a silent process stays on the list. The servers may narrow it.")
}

package struct RedisKeys: ConfigurationKeySection {
    package let timeout = ConfigurationKey(
        "redis.timeout", .duration(.milliseconds(50) ... .seconds(60)), default: "2s",
        usedBy: [.auth, .pushServer, .pushRoute], "Longest wait for an answer of the route store.")
    package let connections = ConfigurationKey(
        "redis.connections", .integer(1...64), default: "2", usedBy: [.auth, .pushServer, .pushRoute],
        "Pipelined connections to each Redis server.")
    package let tlsCA = ConfigurationKey(
        "redis.tls-ca", optional: .path, usedBy: [.auth, .pushServer, .pushRoute],
        "PEM file of the authority that signed the server's certificate; the system's roots when left out.")
}

package struct RouteKeys: ConfigurationKeySection {
    package let listen = ConfigurationKey(
        "route.listen", .address, default: "0.0.0.0:8200", usedBy: [.pushRoute], "Where the push API listens.")
    package let grpcListen = ConfigurationKey(
        "route.grpc-listen", .address, default: "0.0.0.0:8201", usedBy: [.pushRoute],
        "Kept for its peers among the route servers; nothing listens there yet.")
    package let jobs = ConfigurationKey(
        "route.jobs", ValueForm<JobStoreAddress>.jobStore, default: "sqlite:windfire-jobs.sqlite", usedBy: [.pushRoute],
        "Where large pushes are kept: a file, from the working folder on; a MySQL or MariaDB server, for several "
            + "machines; or `memory:` to lose them with the process.")
    package let jobsPassword = ConfigurationKey(
        "route.jobs-password", optional: .text, usedBy: [.pushRoute], isSecret: true,
        "Password for `route.jobs` on a server, in the clear, where its address has none.")
    package let jobsKept = ConfigurationKey(
        "route.jobs-kept", .duration(.seconds(60) ... .seconds(365 * 86_400)), default: "7d", usedBy: [.pushRoute],
        "How long jobs and their receipts are kept after their end.")
    package let buryAfter = ConfigurationKey(
        "route.bury-after", .duration(.seconds(1) ... .seconds(3_600)), default: "10s", usedBy: [.pushRoute],
        "Grace before the routes of a node that left the registry are removed.")
}

package struct APIConfigurationKeys: ConfigurationKeySection {
    package let keys = ConfigurationKey(
        "api.keys", .list(of: .apiKey), default: "", usedBy: [.auth, .pushRoute], isSecret: true,
        "Keys of the HTTP API, hashed, as `windfire key` prints them.")
}

package struct AdminKeys: ConfigurationKeySection {
    package let key = ConfigurationKey(
        "admin.key", optional: .text, usedBy: [.auth, .pushRoute], isSecret: true,
        "One key with every right, in the clear; prefer `api.keys`. `dev` in `windfire dev`.")
}

package struct LogConfigurationKeys: ConfigurationKeySection {
    package enum Format: String, Sendable, CaseIterable {
        case json, pretty
    }

    package let level = ConfigurationKey(
        "log.level", ValueForm<Logger.Level>.choice, default: "info", usedBy: [.auth, .pushServer, .pushRoute],
        "What is logged: this and graver.")
    package let format = ConfigurationKey(
        "log.format", ValueForm<Format>.choice, default: "json", usedBy: [.auth, .pushServer, .pushRoute],
        "One JSON object per line, or lines for people.")
}
