import Foundation
import TestKit
import Testing

@Suite("Processes of tests")
struct ChildProcessTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder("child") }

    @Test("It runs in its folder, with its environment, and its lines can be waited for")
    func output() async throws {
        let child = try ChildProcess(
            "sh", ["-c", "echo begin; pwd; echo \"it is $WHAT\" >&2; exit 3"], environment: ["WHAT": "so"],
            workingDirectory: folder.path, logPath: folder.path("log"))
        #expect(try await child.line(containing: "so") == "it is so")
        #expect(try await child.line(containing: folder.path) == folder.path)
        #expect(await child.waitForExit() == .code(3))
        #expect(child.exit == .code(3))
        await #expect(throws: ChildProcessFailure.self) { try await child.line(containing: "never said") }
        // It has ended, so this reaches nobody.
        child.kill(SIGKILL)
    }

    @Test("Even a frozen one ends when asked, and takes its own children with it")
    func frozen() async throws {
        let child = try ChildProcess("sh", ["-c", "sleep 600 & echo pid $!; wait"], logPath: folder.path("log"))
        let line = try await child.line(containing: "pid ")
        let grandchild = try #require(pid_t(line.dropFirst(4)))
        child.pause()
        #expect(await child.end() == .signal(SIGTERM))
        try await eventually("the grandchild is gone") {
            // A zombie that nobody has reaped yet counts as gone.
            guard kill(grandchild, 0) == 0 else { return true }
            return try String(contentsOfFile: "/proc/\(grandchild)/stat", encoding: .utf8).contains(") Z ")
        }
    }

    @Test("One that does not listen is killed after the grace")
    func stubborn() async throws {
        let child = try ChildProcess(
            "sh", ["-c", "trap '' TERM; echo deaf; while :; do sleep 600; done"], logPath: folder.path("log"))
        _ = try await child.line(containing: "deaf")
        #expect(await child.end(grace: .milliseconds(100)) == .signal(SIGKILL))
    }

    @Test("What cannot be started says so")
    func missing() {
        let error = #expect(throws: ChildProcessFailure.self) { try ChildProcess("no-such-program") }
        #expect(error?.description.contains("no-such-program is not installed") == true)
        #expect(throws: ChildProcessFailure.self) { try ChildProcess("/no/such/program") }
    }

    @Test("Ports are distinct and free; a base has all its offsets")
    func ports() throws {
        let ports = try FreePorts.reserve(50)
        #expect(Set(ports).count == 50)
        let base = try FreePorts.base(offsets: [0, 100, 200])
        #expect(!ports.contains(base) && !ports.contains(base + 100) && !ports.contains(base + 200))
    }

    @Test("A folder goes with its object")
    func temporaryFolder() throws {
        var inner: TemporaryFolder? = try TemporaryFolder("inner")
        let file = try #require(try inner?.write("text", to: "a/b/c"))
        #expect(FileManager.default.fileExists(atPath: file))
        inner = nil
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("Waiting says what did not come, and why the last look failed")
    func waiting() async throws {
        struct Broken: Error {}
        let error = await #expect(throws: NotInTime.self) {
            try await eventually(within: .milliseconds(30), "the sun rises") { throw Broken() }
        }
        #expect(error?.description.contains("the sun rises; the last look threw Broken()") == true)
        var looks = 0
        let value = try await eventually("it is there") {
            looks += 1
            return looks == 3 ? "now" : nil
        }
        #expect(value == "now")
    }
}
