import Common
import GRDB

// The one place where SQLite's result codes (sqlite.org/rescode.html) become words. Its own message is not repeated to
// callers; it is in the cause, for the log.

enum SQLiteFailure {
    static func windfireError(_ error: any Error) -> WindfireError {
        error as? WindfireError ?? JobFailure.unavailable(reason(error), cause: error)
    }

    /// To be put after what the file is called: "is full: …".
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "could not be used" }
        return switch error.resultCode {
        case .SQLITE_FULL: "is full: its disk has no room, or it reached its largest size"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "is locked by another process for too long"
        case .SQLITE_CORRUPT: "is damaged"
        case .SQLITE_NOTADB: "is not a database, or is damaged"
        case .SQLITE_CANTOPEN: "cannot be opened; its folder must exist and be writable"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: "cannot be written to"
        case .SQLITE_IOERR: "cannot be read or written: its disk failed or is full"
        case .SQLITE_NOMEM: "had no memory left"
        default: "could not be used"
        }
    }
}
