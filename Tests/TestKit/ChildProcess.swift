import Foundation
import Synchronization

/// A real process that a test started: a server, or one of our own roles.
///
/// It never outlives its usefulness. It is killed when the object goes, and by the kernel when the test process ends,
/// however that ends: `setpriv --pdeathsig KILL` (util-linux) runs in between and replaces itself by the program, so
/// the pid is the program's. It leads a session of its own, so a Ctrl-C meant for the tests does not reach it first,
/// and what it leaves in its process group is killed when it ends.
package final class ChildProcess: Sendable {
    package enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// What the failure messages call it.
    package let name: String
    package let pid: pid_t
    /// Where its standard output and error go, in the order written.
    package let logPath: String

    private struct State {
        var exit: Exit?
        var waiters: [CheckedContinuation<Exit, Never>] = []
    }

    private let shared = Shared()

    /// Reached from the waiting thread too, which may outlive the object by a moment.
    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    /// Starts it.
    /// - Parameters:
    ///   - program: an absolute path, or a name to look up in `PATH`.
    ///   - environment: added to this process's own environment.
    ///   - logPath: where standard output and error go (appended); `/dev/null` by default.
    /// - Throws: `ChildProcessFailure` when the program is not there or cannot be started.
    package init(
        _ program: String, _ arguments: [String] = [], name: String? = nil, environment: [String: String] = [:],
        workingDirectory: String? = nil, logPath: String = "/dev/null"
    ) throws {
        let path = try Self.find(program)
        let setpriv = try Self.find("setpriv")
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        self.name = name ?? String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...])
        self.logPath = logPath
        // env(1) changes the folder and then, too, replaces itself; glibc's own way is hidden from Swift.
        let inFolder = try workingDirectory.map { [try Self.find("env"), "--chdir=\($0)"] } ?? []
        let words = [setpriv, "--pdeathsig", "KILL", "--"] + inFolder + [path] + arguments
        pid = try ForkingThread.shared.run { try spawn(words, environment: all, logPath: logPath) }
        awaitExit(of: pid)
    }

    deinit { Self.kill(pid, SIGKILL, shared) }

    /// The path of a program, or a failure that says what to install it for.
    package static func find(_ program: String) throws -> String {
        if program.contains("/") {
            guard access(program, X_OK) == 0 else { throw ChildProcessFailure("\(program) is not there") }
            return program
        }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        let folders: [Substring] = path.split(separator: ":")
        for folder in folders where access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
        throw ChildProcessFailure("\(program) is not installed (looked in PATH); scripts/bootstrap installs it")
    }

    // MARK: Signals

    /// Sends a signal to the process alone. Nothing happens when it has ended: its pid may be somebody else's by then.
    package func kill(_ signal: Int32 = SIGKILL) { Self.kill(pid, signal, shared) }

    /// Freezes it, as a stalled machine would.
    package func pause() { kill(SIGSTOP) }
    package func resume() { kill(SIGCONT) }

    private static func kill(_ pid: pid_t, _ signal: Int32, _ shared: Shared) {
        shared.state.withLock { state in
            // Reaping takes the same lock, so a pid without `exit` is still ours.
            guard state.exit == nil else { return }
            _ = Foundation.kill(pid, signal)
            // A stopped process sees no other signal but SIGKILL until it goes on.
            if signal == SIGTERM || signal == SIGINT || signal == SIGKILL { _ = Foundation.kill(pid, SIGCONT) }
        }
    }

    // MARK: The end

    /// How it ended, or nil while it runs.
    package var exit: Exit? { shared.state.withLock { $0.exit } }
    package var isRunning: Bool { exit == nil }

    /// Waits, without a limit, until it has ended. Use a time limit of the test, or `end`.
    package func waitForExit() async -> Exit {
        await withCheckedContinuation { continuation in
            let already: Exit? = shared.state.withLock { state in
                if state.exit == nil { state.waiters.append(continuation) }
                return state.exit
            }
            if let already { continuation.resume(returning: already) }
        }
    }

    /// Asks it to end (SIGTERM), and kills it when it has not within `grace`.
    @discardableResult
    package func end(grace: Duration = .seconds(5)) async -> Exit {
        kill(SIGTERM)
        let killer = Task {
            try await Task.sleep(for: grace)
            self.kill(SIGKILL)
        }
        defer { killer.cancel() }
        return await waitForExit()
    }

    /// One thread per child waits for it and reaps it, so `waitpid` needs no signal handler and no polling.
    private func awaitExit(of pid: pid_t) {
        let shared = shared
        let thread = Thread {
            var info = siginfo_t()
            // First only look (WNOWAIT): the zombie keeps pid and group ours until everybody knows.
            while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            let (exit, waiters) = shared.state.withLock { state in
                _ = killpg(pid, SIGKILL)
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                // wait(2): the low seven bits are the signal, zero for an ordinary exit whose code is the next byte.
                let exit: Exit = status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
                state.exit = exit
                defer { state.waiters = [] }
                return (exit, state.waiters)
            }
            for waiter in waiters { waiter.resume(returning: exit) }
        }
        thread.name = "wait-\(name)"
        thread.stackSize = 128 << 10
        thread.start()
    }

    // MARK: What it said

    /// All it has written so far. Bytes that are not UTF-8 are replaced.
    package var output: String {
        guard let bytes = FileManager.default.contents(atPath: logPath) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first complete line that contains `text`, once it is there.
    /// - Throws: `ChildProcessFailure` with the end of the output, when it does not come or the process ends first.
    package func line(containing text: String, within limit: Duration = .seconds(30)) async throws -> String {
        let deadline = ContinuousClock.now + limit
        while true {
            // Looked at before the output: what it wrote last is then in the output for sure.
            let exit = exit
            let output = output
            for line in output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            where line.contains(text) { return String(line) }
            if let exit {
                throw ChildProcessFailure("\(name) ended (\(exit)) before it said “\(text)”:\n\(output.suffix(2000))")
            }
            guard ContinuousClock.now < deadline else {
                throw ChildProcessFailure("\(name) did not say “\(text)” in \(limit):\n\(output.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

package struct ChildProcessFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

private func spawn(_ words: [String], environment: [String: String], logPath: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Signals that this process blocks or ignores would be inherited.
    var all = sigset_t()
    var none = sigset_t()
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    let ownSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, spawn.h of glibc 2.26 and later.
    posix_spawnattr_setflags(&attributes, Int16(ownSession | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let arguments = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer {
        for text in arguments { free(text) }
        for text in variables { free(text) }
    }
    var pid: pid_t = 0
    let result = posix_spawn(&pid, words[0], &actions, &attributes, arguments, variables)
    guard result == 0 else {
        throw ChildProcessFailure(
            "could not start \(words.joined(separator: " ")): \(String(cString: strerror(result)))")
    }
    return pid
}

/// One thread that lives as long as the process and starts every child. prctl(2): the "parent" whose death sends
/// `PR_SET_PDEATHSIG` is the *thread* that created the child; threads of the cooperative pool come and go, and would
/// take their children with them.
private final class ForkingThread: @unchecked Sendable {
    static let shared = ForkingThread()

    /// Guards `jobs`.
    private let condition = NSCondition()
    private var jobs: [@Sendable () -> Void] = []

    private init() {
        let thread = Thread { [unowned self] in
            while true { next()() }
        }
        thread.name = "start-children"
        thread.start()
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty { condition.wait() }
        return jobs.removeFirst()
    }

    /// Blocks the caller until it is done: a few milliseconds.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox<Value>()
        condition.lock()
        jobs.append {
            box.result.withLock { $0 = Result { try body() } }
            done.signal()
        }
        condition.signal()
        condition.unlock()
        done.wait()
        guard let result = box.result.withLock({ $0 }) else { throw ChildProcessFailure("the job did not run") }
        return try result.get()
    }
}

private final class ResultBox<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}
