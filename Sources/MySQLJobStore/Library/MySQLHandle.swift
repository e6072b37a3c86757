import CMariaDB
import Common

/// One connection to the server: the single owner of its `MYSQL *`. Everything blocks, for as long as the timeouts say,
/// and everything is called from the one thread that made it (mariadb.com/kb, "MariaDB Connector/C", threads): see
/// `MySQLWorkers`. Not `Sendable`, so the compiler keeps it there.
final class MySQLHandle {
    private let handle: UnsafeMutablePointer<MYSQL>
    /// Prepared once each; a statement's text is always one of ours, so these are few.
    private var statements: [String: MySQLStatement] = [:]
    /// False once something said that the connection is of no use any more.
    private(set) var isUsable = true

    /// Dials and signs in.
    /// - Throws: `MySQLError`.
    init(_ configuration: MySQLConfiguration) throws {
        guard Self.libraryIsReady, mysql_thread_init() == 0, let handle = mysql_init(nil) else {
            throw MySQLError(code: 2000, text: "libmariadb could not be set up")
        }
        self.handle = handle
        Self.set(handle, configuration)
        // TCP also for `localhost`, which the library would otherwise take for a socket file.
        let connected = mysql_real_connect(
            handle, configuration.host, configuration.user, configuration.password, configuration.database,
            UInt32(configuration.port), nil, UInt(CLIENT_FOUND_ROWS))
        // "Enforce" alone lets a connection through in the clear when the server offers no TLS (my_auth.c of
        // libmariadb).
        let isAsDemanded = configuration.tls == .off || mysql_get_ssl_cipher(handle) != nil
        guard connected != nil, isAsDemanded else {
            let error = connected == nil ? lastError() : MySQLError(code: 2026, text: "the server offers no TLS")
            mysql_close(handle)
            isClosed = true
            throw error
        }
    }

    private var isClosed = false

    deinit {
        statements.removeAll()
        if !isClosed { mysql_close(handle) }
    }

    /// mysql_server_init must not run twice at once; a static is made once.
    private static let libraryIsReady = mysql_server_init(0, nil, nil) == 0

    /// Ways to sign in that do not show the password to the server.
    private static let plugins =
        "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

    private static func set(_ handle: UnsafeMutablePointer<MYSQL>, _ configuration: MySQLConfiguration) {
        var seconds = UInt32(max(1, (JobClock.milliseconds(configuration.timeout) + 999) / 1000))
        mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds)
        mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds)
        var tcp = MYSQL_PROTOCOL_TCP.rawValue
        mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp)
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // A server could otherwise ask for files of this machine (LOAD DATA LOCAL INFILE).
        var no: UInt32 = 0
        mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no)
        // Nor for the password as it is, which one plugin of the library would hand over (mysql_clear_password).
        mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH, plugins)
        var yes: my_bool = 1
        // Newer libraries verify without being asked; what is verified is ours to say.
        var doNot: my_bool = 0
        switch configuration.tls {
        case .off, .required:
            if configuration.tls == .required { mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes) }
            mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &doNot)
        case .verified(let authorities):
            mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes)
            mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes)
            if let authorities { mysql_options(handle, MYSQL_OPT_SSL_CA, authorities) }
        }
    }

    private func lastError() -> MySQLError {
        MySQLError(code: mysql_errno(handle), text: String(cString: mysql_error(handle)))
    }

    /// Runs a statement of ours that has no parameters and no answer, as text.
    func command(_ sql: String) throws {
        guard mysql_real_query(handle, sql, UInt(sql.utf8.count)) == 0 else { throw noted(lastError()) }
    }

    /// Runs a prepared statement; `?` stand for the parameters in their order.
    @discardableResult
    func run(_ sql: String, _ parameters: MySQLValue...) throws -> MySQLAnswer { try run(sql, parameters) }

    @discardableResult
    func run(_ sql: String, _ parameters: [MySQLValue]) throws -> MySQLAnswer {
        do {
            let statement: MySQLStatement
            if let known = statements[sql] {
                statement = known
            } else {
                statement = try MySQLStatement(sql, on: handle)
                statements[sql] = statement
            }
            return try statement.execute(parameters)
        } catch let error as MySQLError {
            throw noted(error)
        }
    }

    private func noted(_ error: MySQLError) -> MySQLError {
        if error.isConnectionLost { isUsable = false }
        return error
    }
}
