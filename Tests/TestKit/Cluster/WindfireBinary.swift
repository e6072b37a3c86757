import Foundation

/// The executable that was built together with the tests.
package enum WindfireBinary {
    /// Beside the test bundle, which is this process's own executable.
    package static func path() throws -> String {
        let runner = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var folder = runner.deletingLastPathComponent()
        // The runner may lie inside a bundle folder.
        for _ in 0..<3 {
            let candidate = folder.appendingPathComponent("windfire").path
            if access(candidate, X_OK) == 0 { return candidate }
            folder.deleteLastPathComponent()
        }
        throw ChildProcessFailure("windfire is not beside \(runner.path); `swift build` makes it")
    }

    /// Starts it with these arguments and variables, and no other `WINDFIRE_…` variable: those of the tests themselves
    /// are no configuration keys, and it would refuse to start with them.
    package static func start(
        _ arguments: [String], name: String, environment: [String: String] = [:], logPath: String
    ) throws -> ChildProcess {
        let foreign = ProcessInfo.processInfo.environment.keys.filter {
            $0.hasPrefix("WINDFIRE_") && environment[$0] == nil
        }
        let words = foreign.sorted().flatMap { ["-u", $0] } + [try path()] + arguments
        return try ChildProcess("env", words, name: name, environment: environment, logPath: logPath)
    }

    /// Runs it to its end.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (exit: ChildProcess.Exit, output: String) {
        let folder = try TemporaryFolder("run")
        let process = try start(
            arguments, name: "windfire \(arguments.first ?? "")", environment: environment,
            logPath: folder.path("output"))
        return (await process.waitForExit(), process.output)
    }
}
