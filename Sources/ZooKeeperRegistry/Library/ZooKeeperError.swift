import CZooKeeper

/// The one funnel for the library's return codes: every call's and every completion's goes through `check`.
struct ZooKeeperError: Error, Hashable, CustomStringConvertible {
    let code: Int32
    /// The call, without its path.
    let operation: String

    /// - Throws: unless the code is ZOK.
    static func check(_ code: Int32, _ operation: String) throws(ZooKeeperError) {
        guard code == ZOK.rawValue else { throw ZooKeeperError(code: code, operation: operation) }
    }

    /// The library's words for the code.
    var description: String { "\(operation): \(String(cString: zerror(code))) (\(code))" }

    var isNoNode: Bool { code == ZNONODE.rawValue }
    var isNodeExists: Bool { code == ZNODEEXISTS.rawValue }
    /// Somebody else was first: look again.
    var isConflict: Bool { isNoNode || isNodeExists || code == ZBADVERSION.rawValue }

    /// The ensemble refuses us for good: rights or credentials, not its health.
    var isRefusal: Bool {
        code == ZNOAUTH.rawValue || code == ZAUTHFAILED.rawValue || code == ZINVALIDACL.rawValue
    }

    /// Ordinary in an outage: the session's events tell the rest. After such an error a write may or may not have
    /// happened.
    var isConnectionTrouble: Bool {
        switch code {
        case ZCONNECTIONLOSS.rawValue, ZOPERATIONTIMEOUT.rawValue, ZSESSIONEXPIRED.rawValue, ZCLOSING.rawValue,
            ZINVALIDSTATE.rawValue, ZSESSIONMOVED.rawValue:
            true
        default: false
        }
    }
}
