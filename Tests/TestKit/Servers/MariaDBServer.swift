import Common
import Foundation
import Synchronization
import Testing

/// A real `mariadbd` in a folder of its own, on loopback, for as long as the object lives. One user, `windfire`, may do
/// everything in databases whose names begin with `wf`.
///
/// A start takes seconds, most of them `mariadb-install-db`; so suites share one with the trait `.mariaDB` and make
/// databases of their own, and only those that kill it have one for themselves.
package final class MariaDBServer: Sendable {
    package struct Options: Sendable {
        /// Speaks TLS, with a certificate for `localhost` and 127.0.0.1 made on the spot.
        package var tls = false
        /// Further options of mariadbd, `--name=value`.
        package var arguments: [String] = []

        package init() {}
    }

    package static let user = "windfire"
    package static let password = "S3cret-of-the-tests"

    package let port: Int
    private let options: Options
    private let folder: TemporaryFolder
    private let process: Mutex<ChildProcess>
    private let databases = Atomic(0)

    /// Makes the data folder, starts the server, and waits until it answers.
    /// - Throws: when `mariadbd` is not installed, or does not answer.
    package init(_ options: Options = Options()) async throws {
        port = try FreePorts.one()
        self.options = options
        folder = try TemporaryFolder("mariadb")
        if options.tls { try await RedisServer.makeCertificates(in: folder) }
        _ = try await RedisServer.output(
            "mariadb-install-db",
            [
                "--no-defaults", "--datadir=\(folder.path("data"))", "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ] + Self.small, in: folder)
        process = Mutex(try Self.launch(folder, port, options))
        try await waitUntilReady()
        try await sql(
            """
            CREATE USER '\(Self.user)'@'%' IDENTIFIED BY '\(Self.password)';
            GRANT ALL ON `wf%`.* TO '\(Self.user)'@'%';
            """)
    }

    /// mariadbd refuses to run as root unless it is told so. What is small is quick to make; nothing here makes commits
    /// less durable.
    private static let small =
        ["--innodb-log-file-size=16M", "--innodb-use-native-aio=0"] + (geteuid() == 0 ? ["--user=root"] : [])

    private static func launch(_ folder: TemporaryFolder, _ port: Int, _ options: Options) throws -> ChildProcess {
        var words = [
            "--no-defaults", "--datadir=\(folder.path("data"))", "--socket=\(folder.path("socket"))",
            "--pid-file=\(folder.path("pid"))", "--bind-address=127.0.0.1", "--port=\(port)", "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M", "--performance-schema=OFF", "--max-connections=300",
        ]
        if options.tls {
            words += [
                "--ssl-cert=\(folder.path("server.pem"))", "--ssl-key=\(folder.path("server.key"))",
                "--ssl-ca=\(folder.path("ca.pem"))",
            ]
        }
        return try ChildProcess("mariadbd", words + small + options.arguments, logPath: folder.path("log"))
    }

    /// The authority that signed the server's certificate.
    package var authoritiesFile: String { folder.path("ca.pem") }

    package func waitUntilReady() async throws {
        try await eventually(within: .seconds(60), "mariadbd answers on port \(port)", poll: .milliseconds(100)) {
            try await sql("SELECT 1") == "1"
        }
    }

    // MARK: Faults

    package func kill() async {
        let process = process.withLock { $0 }
        process.kill()
        _ = await process.waitForExit()
    }

    /// Starts it again after `kill`, on the same port, with what is in its folder.
    package func restart(_ arguments: [String] = []) async throws {
        var options = options
        options.arguments += arguments
        let fresh = try Self.launch(folder, port, options)
        process.withLock { $0 = fresh }
        try await waitUntilReady()
    }

    package func pause() { process.withLock { $0 }.pause() }
    package func resume() { process.withLock { $0 }.resume() }

    // MARK: Asking

    /// Runs statements as root, and gives what the last ones answered, without names of columns.
    @discardableResult
    package func sql(_ text: String, database: String? = nil) async throws -> String {
        try await RedisServer.output(
            "mariadb",
            [
                "--no-defaults", "--user=root", "--socket=\(folder.path("socket"))", "--batch",
                "--skip-column-names", "--execute=\(text)",
            ] + (database.map { ["--database=\($0)"] } ?? []), in: folder)
    }

    /// Makes a database that is empty, and gives its name.
    package func makeDatabase() async throws -> String {
        let name = "wf\(databases.add(1, ordering: .relaxed).newValue)"
        try await sql("CREATE DATABASE \(name)")
        return name
    }

    package func url(_ database: String) -> String {
        "mysql://\(Self.user):\(Self.password)@127.0.0.1:\(port)/\(database)"
    }
}

/// Starts one server for a suite, and ends it after the suite.
package struct OneMariaDBServer: SuiteTrait, TestScoping {
    @TaskLocal package static var current: MariaDBServer?

    package let isRecursive = false
    fileprivate let options: MariaDBServer.Options

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let server = try await MariaDBServer(options)
        try await Self.$current.withValue(server) { try await function() }
        await server.kill()
    }
}

extension Trait where Self == OneMariaDBServer {
    package static var mariaDB: OneMariaDBServer { OneMariaDBServer(options: .init()) }

    /// With further options of mariadbd.
    package static func mariaDB(tls: Bool = false, _ arguments: String...) -> OneMariaDBServer {
        var options = MariaDBServer.Options()
        (options.tls, options.arguments) = (tls, arguments)
        return OneMariaDBServer(options: options)
    }
}
