import Common

/// A real `redis-server` in a folder of its own, on loopback, for as long as the object lives. Without persistence
/// unless asked for, so a restart is a wiped store.
package final class RedisServer: Sendable {
    package struct Options: Sendable {
        /// For the `default` user.
        package var password: String?
        /// A user besides the default one, allowed everything.
        package var user: (name: String, password: String)?
        /// Speaks TLS besides, on `tlsPort`, with a certificate for `localhost` and 127.0.0.1 made on the spot.
        package var tls = false
        /// An append-only file, written every second.
        package var appendOnly = false
        /// Further lines of redis.conf.
        package var lines: [String] = []

        package init() {}
    }

    package let port: Int
    package let tlsPort: Int?
    private let password: String?
    private let folder: TemporaryFolder
    private let process: ProcessBox

    /// A server whose process can be another one after a restart.
    private actor ProcessBox {
        var process: ChildProcess
        init(_ process: ChildProcess) { self.process = process }
        func replace(_ process: ChildProcess) { self.process = process }
    }

    /// Starts it and waits until it answers.
    /// - Throws: when `redis-server` or `redis-cli` is not installed, or does not answer.
    package init(_ options: Options = Options()) async throws {
        port = try FreePorts.one()
        tlsPort = options.tls ? try FreePorts.one() : nil
        password = options.password
        folder = try TemporaryFolder("redis")

        var lines = ["port \(port)", "bind 127.0.0.1", "dir \(folder.path)", "save \"\"", "repl-diskless-sync-delay 0"]
        lines.append("appendonly \(options.appendOnly ? "yes" : "no")")
        if let password = options.password { lines.append("requirepass \(password)") }
        if let user = options.user { lines.append("user \(user.name) on >\(user.password) ~* &* +@all") }
        if let tlsPort {
            try await Self.makeCertificates(in: folder)
            lines += [
                "tls-port \(tlsPort)", "tls-cert-file \(folder.path("server.pem"))",
                "tls-key-file \(folder.path("server.key"))", "tls-ca-cert-file \(folder.path("ca.pem"))",
                "tls-auth-clients no",
            ]
        }
        _ = try folder.write((lines + options.lines).joined(separator: "\n") + "\n", to: "redis.conf")
        process = ProcessBox(try Self.launch(folder))
        try await waitUntilReady()
    }

    private static func launch(_ folder: TemporaryFolder) throws -> ChildProcess {
        try ChildProcess("redis-server", [folder.path("redis.conf")], logPath: folder.path("log"))
    }

    package var address: String { "127.0.0.1:\(port)" }
    package var url: String { "redis://\(password.map { ":\($0)@" } ?? "")\(address)" }
    /// The authority that signed the server's certificate.
    package var authoritiesFile: String { folder.path("ca.pem") }

    package func waitUntilReady() async throws {
        try await eventually("redis-server answers on port \(port)") { try await cli("PING") == "PONG" }
    }

    // MARK: Faults

    package func kill() async {
        let process = await process.process
        process.kill()
        _ = await process.waitForExit()
    }

    /// As an orderly stop does: everything is written first.
    package func end() async { _ = await process.process.end() }

    /// Starts it again after `kill` or `end`, on the same port, with what is in its folder.
    package func restart() async throws {
        await process.replace(try Self.launch(folder))
        try await waitUntilReady()
    }

    /// How often the append-only file is synced, from now on and after restarts: `everysec` or `always`.
    package func setAppendSync(_ policy: String) async throws {
        _ = try await cli("CONFIG", "SET", "appendfsync", policy)
        _ = try await cli("CONFIG", "REWRITE")
    }

    package func pause() async { await process.process.pause() }
    package func resume() async { await process.process.resume() }

    // MARK: Asking

    /// What `redis-cli` prints for a command, without the last newline.
    package func cli(_ words: String...) async throws -> String { try await cli(words) }

    package func cli(_ words: [String]) async throws -> String {
        let credentials = password.map { ["-a", $0, "--no-auth-warning"] } ?? []
        return try await Self.output(
            "redis-cli", ["-h", "127.0.0.1", "-p", "\(port)"] + credentials + words, in: folder)
    }

    /// Runs a program to its end and gives what it printed.
    static func output(_ program: String, _ words: [String], in folder: TemporaryFolder) async throws -> String {
        let name = "\(program)-\(UInt64.random(in: .min ... .max))"
        let process = try ChildProcess(program, words, logPath: folder.path(name))
        let exit = await process.waitForExit()
        let output = process.output
        guard exit == .code(0) else { throw ChildProcessFailure("\(program) ended with \(exit): \(output)") }
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// An authority and a server certificate it signed, for an hour.
    static func makeCertificates(in folder: TemporaryFolder) async throws {
        let extensions = try folder.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n", to: "extensions")
        let steps = [
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=windfire-test-ca"
                + " -keyout ca.key -out ca.pem",
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key"
                + " -out server.csr",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out server.pem -extfile "
                + extensions,
        ]
        for step in steps {
            let words = step.split(separator: " ").map { word in
                let isFile = [".key", ".pem", ".csr"].contains { word.hasSuffix($0) } && !word.hasPrefix("/")
                return isFile ? folder.path(String(word)) : String(word)
            }
            _ = try await output("openssl", words, in: folder)
        }
    }
}
