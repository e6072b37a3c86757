import Common

/// Where Redis is and how to talk to it. Checked when it is made; printed without its secrets.
package struct RedisConfiguration: Sendable, CustomStringConvertible {
    package enum Topology: Hashable, Sendable { case single, cluster }

    package var topology: Topology
    /// One server, or the first nodes of a cluster to ask for all others.
    package var addresses: [RedisAddress]
    /// nil signs in as the `default` user, when there is a password.
    package var user: String?
    package var password: String?
    /// A number, for `SELECT`. A cluster has only 0.
    package var database = 0
    /// nil speaks in the clear.
    package var tls: RedisTLS?

    /// From dialling to a connection that has signed in.
    package var connectTimeout: Duration = .seconds(2)
    /// From sending a command to its reply, and the longest wait for a connection.
    package var commandTimeout: Duration = .seconds(1)
    /// How long a command is sent again while Redis says "elsewhere" or "not now": during the migration of a slot, the
    /// loss of a master, a restart. Longer than the command timeout, because the answers keep coming.
    package var retryWindow: Duration = .seconds(3)
    /// Connections to each server. Redis runs commands one after the other, so more than a few gain nothing.
    package var connectionsPerNode = 2
    /// Commands that may wait for replies on one connection: an estimated 250 ms of Redis's work.
    package var pendingCommandsMax = 20_000
    /// Callers that may wait for a connection to one server.
    package var waitingCallersMax = 10_000
    package var backoff = Backoff()

    package init(topology: Topology, addresses: [RedisAddress]) {
        precondition(!addresses.isEmpty, "Redis has an address")
        self.topology = topology
        self.addresses = addresses
    }

    package var description: String {
        let scheme = (tls == nil ? "redis" : "rediss") + (topology == .cluster ? "+cluster" : "")
        let credentials = password == nil ? "" : "\(user ?? ""):***@"
        let database = database == 0 ? "" : "/\(database)"
        return "\(scheme)://\(credentials)\(addresses.map(\.description).joined(separator: ","))\(database)"
    }
}

/// How TLS is spoken with Redis.
package struct RedisTLS: Hashable, Sendable {
    package enum Verification: Hashable, Sendable {
        /// The certificate is signed by a trusted authority and made for this host.
        case full
        /// Signed by a trusted authority; for servers behind names that certificates do not carry.
        case anyHost
        /// Encrypted, but to whom is not checked.
        case none
    }

    package var verification = Verification.full
    /// A PEM file of authorities; nil trusts those of the system.
    package var authoritiesFile: String?
    /// PEM files with a certificate of our own and its key, when the server asks for one.
    package var certificateFile: String?
    package var privateKeyFile: String?

    package init() {}
}
