import Foundation

/// CPU time and memory of another process of this machine, from procfs (proc_pid_schedstat(5), proc_pid_status(5)).
struct ServerProcess: Sendable {
    struct Reading: Sendable {
        /// Of all threads that live, in ns. Nanoseconds from the scheduler, not 10 ms ticks.
        let cpuNanoseconds: UInt64
        let residentBytes: UInt64
    }

    let id: Int32
    /// The subcommand it runs, such as `push-server`.
    let role: String

    init(id: Int32) throws {
        self.id = id
        guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(id)/cmdline")), !line.isEmpty else {
            throw CommandFailure("there is no process \(id)")
        }
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        role = words.count > 1 ? words[1] : words[0]
    }

    func read() throws -> Reading {
        let tasks = "/proc/\(id)/task"
        guard let threads = try? FileManager.default.contentsOfDirectory(atPath: tasks),
            let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let resident = Self.kibibytes("VmRSS:", in: status)
        else { throw CommandFailure("process \(id) (\(role)) is gone") }
        let cpu = threads.reduce(into: UInt64(0)) { sum, thread in
            // A thread may end between the listing and here.
            let text = (try? String(contentsOfFile: "\(tasks)/\(thread)/schedstat", encoding: .utf8)) ?? ""
            sum += text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
        }
        return Reading(cpuNanoseconds: cpu, residentBytes: resident * 1_024)
    }

    private static func kibibytes(_ name: String, in status: String) -> UInt64? {
        status.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { line in
            line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) }
        }
    }
}

/// All measured processes at one moment.
struct ServerReadings: Sendable {
    let readings: [Int32: ServerProcess.Reading]

    init(_ processes: [ServerProcess]) throws {
        readings = Dictionary(
            uniqueKeysWithValues: try processes.map { ($0.id, try $0.read()) })
    }
}
