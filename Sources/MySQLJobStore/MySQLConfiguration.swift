import Common

/// Where the server is and how to talk to it. Printed without its password.
package struct MySQLConfiguration: Sendable, CustomStringConvertible {
    package enum TLS: Hashable, Sendable {
        case off
        /// Encrypted, but to whom is not checked.
        case required
        /// The certificate is signed by an authority of this PEM file, or of the system, and made for this host.
        case verified(authorities: String?)
    }

    package var host: String
    package var port = 3306
    package var user: String
    package var password: String
    package var database: String
    package var tls = TLS.off

    /// Longest wait to connect, and for an answer of the server. Whole seconds, as the library counts.
    package var timeout: Duration = .seconds(5)
    /// Connections, each with a thread of its own. What waits for the server is the disk, so a few are enough.
    package var connections = 4
    /// Calls that may wait for a connection.
    package var waitingCallsMax = 1_000
    /// How often a transaction that lost against another is tried again.
    package var conflictRetriesMax = 10
    /// The first and the longest pause after a failed attempt to connect; it doubles in between. Calls in that time
    /// fail at once.
    package var backoffLeast: Duration = .milliseconds(100)
    package var backoffMost: Duration = .seconds(2)
    /// Milliseconds added to the server's clock; for tests, which do not wait for leases to run out.
    package var clockShift: @Sendable () -> Int64 = { 0 }

    package init(host: String, user: String, password: String, database: String) {
        self.host = host
        self.user = user
        self.password = password
        self.database = database
    }

    package var description: String { "mysql://\(user):***@\(host):\(port)/\(database)" }
}
