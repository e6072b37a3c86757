import Common
import Synchronization

/// One role of a cluster: how it is started, where it answers, and its process, which may be another one after a
/// restart.
package final class WindfireProcess: Sendable {
    package let name: String
    package let role: ConfigurationRole
    /// `http://127.0.0.1:port` of its API, or of metrics and health for push servers.
    package let url: String
    private let flags: [String]
    private let environment: [String: String]
    private let logPath: String
    private let child = Mutex<ChildProcess?>(nil)

    package init(
        name: String, role: ConfigurationRole, url: String, flags: [String], environment: [String: String],
        logPath: String
    ) {
        self.name = name
        self.role = role
        self.url = url
        self.flags = flags
        self.environment = environment
        self.logPath = logPath
    }

    /// Starts it, unless it runs.
    package func start() throws {
        try child.withLock { child in
            guard child?.isRunning != true else { return }
            child = try WindfireBinary.start(
                [role.rawValue] + flags, name: name, environment: environment, logPath: logPath)
        }
    }

    private func current() throws -> ChildProcess {
        guard let child = child.withLock({ $0 }) else { throw ChildProcessFailure("\(name) was not started") }
        return child
    }

    package var isRunning: Bool { child.withLock { $0?.isRunning ?? false } }

    /// kill -9, and waits until it is gone.
    package func kill() async throws {
        let child = try current()
        child.kill()
        _ = await child.waitForExit()
    }

    /// SIGTERM, and waits for the graceful end.
    @discardableResult
    package func end(grace: Duration = .seconds(20)) async throws -> ChildProcess.Exit {
        try await current().end(grace: grace)
    }

    package func pause() throws { try current().pause() }
    package func resume() throws { try current().resume() }

    /// From now on it can write to no file behind this place (setrlimit(2), RLIMIT_FSIZE), as if the disk were full;
    /// nil takes that back.
    package func limitFiles(to bytes: Int?) async throws {
        let limit = bytes.map(String.init) ?? "unlimited"
        let change = try ChildProcess("prlimit", ["--pid", "\(try current().pid)", "--fsize=\(limit):"])
        guard await change.waitForExit() == .code(0) else {
            throw ChildProcessFailure("the files of \(name) could not be limited")
        }
    }

    /// Waits for a line of its log.
    @discardableResult
    package func line(containing text: String, within limit: Duration = .seconds(30)) async throws -> String {
        try await current().line(containing: text, within: limit)
    }

    /// All lives' output.
    package var log: String { child.withLock { $0?.output ?? "" } }

    /// The answer of `/readyz`: its status, or nil when nobody answers.
    package func readiness() async -> Int? {
        try? await HTTPCall(url: url + "/readyz", timeout: .seconds(3)).answer().status
    }

    package func waitUntilReady(within limit: Duration = .seconds(60)) async throws {
        try await eventually(within: limit, "\(name) is ready", poll: .milliseconds(50)) {
            guard isRunning else {
                throw ChildProcessFailure("\(name) has ended:\n\(log.suffix(2000))")
            }
            return await readiness() == 200
        }
    }
}
