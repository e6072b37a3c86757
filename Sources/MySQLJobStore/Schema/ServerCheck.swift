import Common

// Whether a server can keep jobs at all, and whether it keeps its word about them.

enum ServerCheck {
    /// A chunk's list is the largest value of one packet: 10,000 ids of 128 bytes, each with a reason.
    static let packetBytesMin = 4 << 20

    /// - Throws: `MySQLUnfit` when the server cannot be used; `MySQLError`.
    static func check(_ connection: MySQLHandle, warn: (String) -> Void) throws {
        let row = try connection.run(
            "SELECT VERSION(), @@max_allowed_packet, @@innodb_flush_log_at_trx_commit"
        ).rows.first
        guard let row, row.count == 3, let version = row[0].text, let packet = row[1].integer,
            let flush = row[2].integer
        else { throw MySQLUnfit("says nothing of itself") }
        guard skipsLocked(version) else {
            throw MySQLUnfit("is too old; MariaDB 10.6 or MySQL 8.0 is the least, for SKIP LOCKED")
        }
        guard packet >= packetBytesMin else {
            throw MySQLUnfit("takes packets too small for a list of ids; set max_allowed_packet to 4M or more")
        }
        if flush != 1 { warn("innodb_flush_log_at_trx_commit is \(flush); 1 keeps jobs over a loss of power") }
    }

    /// Whether this version knows `SELECT … FOR UPDATE SKIP LOCKED`: MariaDB from 10.6 on, MySQL from 8.0.1 on. MariaDB
    /// says `10.11.6-MariaDB-…`, or `5.5.5-10.11.6-MariaDB` to old libraries.
    static func skipsLocked(_ version: String) -> Bool {
        let isMariaDB = version.contains("MariaDB")
        let text = isMariaDB && version.hasPrefix("5.5.5-") ? version.dropFirst(6) : version[...]
        let numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
        guard numbers.count >= 2 else { return false }
        return isMariaDB ? (numbers[0], numbers[1]) >= (10, 6) : (numbers[0], numbers[1]) >= (8, 0)
    }
}

/// A server that jobs cannot be kept on until somebody changes it. Trying again changes nothing.
struct MySQLUnfit: Error, Sendable, CustomStringConvertible {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}
