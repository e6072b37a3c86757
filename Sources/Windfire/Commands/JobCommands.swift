import ArgumentParser
import Foundation
import NIOCore

// Large pushes: what became of them, and what may still be done about them.

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs that large pushes became, newest first.")

    @Option(help: "Jobs to list, 1 to 1000.")
    var limit = 20

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000") }
    }

    private struct Answer: Decodable {
        struct Row: Decodable {
            let job: String
            let owner: String
            let created_at: Double
        }

        let jobs: [JobProgress]
        let rows: [Row]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            jobs = try container.decode([JobProgress].self, forKey: .jobs)
            rows = try container.decode([Row].self, forKey: .jobs)
        }

        private enum Keys: CodingKey { case jobs }
    }

    func run() async throws {
        let data = try await route.client.get("/v1/jobs?limit=\(limit)")
        guard !output.json else { return Output.line(json: data) }
        let answer = try APIClient.decode(data, as: Answer.self)
        var table = TextTable(
            "job", "state", "chunks", "total", "delivered", "acknowledged", "offline", "failed", "untried", "owner",
            "since")
        for (row, job) in zip(answer.rows, answer.jobs) {
            let since = Date(timeIntervalSince1970: row.created_at).formatted(.iso8601)
            table.add(
                row.job, job.state, "\(job.done_chunks)/\(job.chunks)", "\(job.total)", "\(job.delivered)",
                job.acknowledgedText, "\(job.offline)", "\(job.failed)", "\(job.untried)", row.owner, since)
        }
        Output.line(table.isEmpty ? "there are no jobs" : table.text)
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Show what became of a job, stop it, or send again to those it did not reach.")

    @Argument(help: "The job's id.")
    var id: String

    @Flag(help: "Begin no further chunk.")
    var cancel = false

    @Flag(help: "Make a new job of those who were not delivered to.")
    var resend = false

    @Flag(help: "Name those who were not delivered to, and why.")
    var undelivered = false

    @Flag(help: "Wait until it has ended, with a progress bar on a terminal.")
    var watch = false

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard [cancel, resend, undelivered, watch].count(where: { $0 }) <= 1 else {
            throw ValidationError("--cancel, --resend, --undelivered and --watch are one at a time")
        }
        guard !id.isEmpty, id.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit || $0 == UInt8(ascii: "-") })
        else { throw ValidationError("a job's id has hex digits and dashes") }
    }

    private struct Undelivered: Decodable {
        let client: String
        let reason: String
    }

    func run() async throws {
        let path = "/v1/jobs/\(id)"
        if undelivered { return try await nameUndelivered(path + "/undelivered") }
        let answer: Data
        if watch {
            (_, answer) = try await JobWatch(
                client: route.client, bar: output.json ? nil : ProgressBar.onTerminal
            ).untilEnded(id)
        } else if resend {
            let data = try await route.client.post(path + "/resend", ByteBuffer())
            guard !output.json else { return Output.line(json: data) }
            return Output.line(try APIClient.decode(data, as: AcceptedJob.self).resendText)
        } else if cancel {
            answer = try await route.client.post(path + "/cancel", ByteBuffer())
        } else {
            answer = try await route.client.get(path)
        }
        guard !output.json else { return Output.line(json: answer) }
        let progress = try APIClient.decode(answer, as: JobProgress.self)
        Output.line(progress.text(of: id))
    }

    private func nameUndelivered(_ path: String) async throws {
        let data = try await route.client.get(path)
        guard !output.json else { return Output.line(json: data) }
        var table = TextTable("client", "reason")
        for line in data.split(separator: UInt8(ascii: "\n")) {
            let row = try APIClient.decode(Data(line), as: Undelivered.self)
            table.add(row.client, row.reason)
        }
        Output.line(table.isEmpty ? "everybody was delivered to, as far as the job has come" : table.text)
    }
}
