import Common

// What a connection is told before its first transaction, so that nothing hangs on how the server was set up.

enum SessionSettings {
    static func apply(to connection: MySQLHandle, timeout: Duration) throws {
        // Below our own timeout: a lock that is not given then ends the statement, and not the connection.
        let lockWait = max(1, Int(timeout / .seconds(1)) / 2)
        try connection.command(
            """
            SET SESSION time_zone = '+00:00', SESSION autocommit = 1,
                SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
                SESSION innodb_lock_wait_timeout = \(lockWait), SESSION lock_wait_timeout = \(lockWait)
            """)
        // Rows are locked by name, and never the gaps between them; what a transaction relies on, it locks.
        try connection.command("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    }
}
