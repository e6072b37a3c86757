import CMariaDB
import Common

/// What the library or the server refused, by number (mysqld_error.h from 1000, errmsg.h from 2000). The one place
/// where these become ours. The server's text may quote what it was given, so it stays in here, for the log.
struct MySQLError: Error, Sendable, CustomStringConvertible {
    let code: UInt32
    let text: String

    var description: String { "\(code): \(text)" }

    /// Another transaction was in the way; the same again, from its start, will do. 1213 ER_LOCK_DEADLOCK,
    /// 1205 ER_LOCK_WAIT_TIMEOUT, 1020 ER_CHECKREAD (a snapshot that moved on), 3101
    /// ER_TRANSACTION_ROLLBACK_DURING_COMMIT (a group of servers did not agree).
    var isConflict: Bool { [1213, 1205, 1020, 3101].contains(code) }

    /// The connection is of no use any more. 1053 ER_SERVER_SHUTDOWN, 1927 ER_CONNECTION_KILLED, 4031
    /// ER_CLIENT_INTERACTION_TIMEOUT, 1152–1161 and 2000–2999: the wire and the library itself.
    var isConnectionLost: Bool {
        [1053, 1927, 4031].contains(code) || (1152...1161).contains(code) || (2000...2999).contains(code)
    }

    /// 1290 ER_OPTION_PREVENTS_STATEMENT, 1792 ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, 1836 ER_READ_ONLY_MODE.
    var isReadOnly: Bool { [1290, 1792, 1836].contains(code) }

    /// 1146 ER_NO_SUCH_TABLE.
    var isTableMissing: Bool { code == 1146 }

    /// Nothing but a change of the address, the rights, or the server's settings helps: not a server that is away,
    /// busy, or full.
    var isForAnOperator: Bool { [1044, 1045, 1049, 1142, 1143, 1227, 1698, 2026].contains(code) }

    func windfireError(file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        let reason =
            switch code {
            // ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_OUT_OF_RESOURCES.
            case 1021, 1114, 1041: "is full"
            // ER_GET_ERRNO with ENOSPC.
            case 1030 where text.contains("28"): "is full"
            // ER_ACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR.
            case 1045, 1044, 1698: "does not let this user in"
            // ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR.
            case 1142, 1143, 1227: "does not allow this user what is needed"
            // ER_BAD_DB_ERROR.
            case 1049: "does not exist on this server"
            // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS.
            case 1040, 1203: "has too many connections"
            case _ where isReadOnly: "is read-only"
            // ER_NET_PACKET_TOO_LARGE, CR_NET_PACKET_TOO_LARGE.
            case 1153, 2020: "takes no packet of this size (max_allowed_packet)"
            // ER_NOT_KEYFILE, ER_CRASHED_ON_USAGE, ER_TABLE_CORRUPT.
            case 1034, 1194, 1877: "is damaged"
            // CR_SSL_CONNECTION_ERROR.
            case 2026: "does not speak TLS as demanded, or shows a certificate that is not trusted"
            // CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST.
            case 2002, 2003, 2005: "cannot be reached"
            case _ where isConnectionLost: "does not answer in time, or hung up"
            case _ where isConflict: "is too busy with others for this"
            default: "refused (error \(code))"
            }
        return JobFailure.unavailable(reason, cause: self, file: file, line: line)
    }
}

enum MySQLFailure {
    /// The connection broke while COMMIT was under way.
    static func outcomeUnknown(
        _ cause: MySQLError, file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        JobFailure.unavailable(
            "hung up while it wrote, and whether it wrote is not known; the same again is safe", cause: cause,
            file: file, line: line)
    }

    static func windfireError(_ error: any Error) -> WindfireError {
        if let error = error as? WindfireError { return error }
        if let error = error as? MySQLError { return error.windfireError() }
        if let error = error as? MySQLUnfit {
            return JobFailure.unavailable(error.reason, retryAfter: nil, cause: error)
        }
        return JobFailure.unavailable("could not be used", cause: error)
    }
}
