import ArgumentParser
import AsyncHTTPClient
import Common
import Foundation
import NIOCore

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Push to clients, topics or everyone and print the receipt.",
        discussion: """
            Exits 0 when the push was carried out, also when somebody was offline; the receipt tells. A long list \
            becomes a job: its progress is shown until it has ended.
            """)

    @Option(help: "Client ids, separated by commas.")
    var to: String?

    @Option(
        help: ArgumentHelp(
            """
            A file of client ids, sent while it is read: FILE.csv (first column, or the one called `client`), \
            FILE.ndjson (a JSON string or {"client":…} a line), anything else one id a line; - for standard input.
            """,
            valueName: "path"))
    var file: String?

    @Option(help: "A topic: whoever is subscribed gets the message. May be given several times.")
    var topic: [String] = []

    @Flag(help: "Everyone who is connected gets the message.")
    var everyone = false

    @Option(help: "What to push: one JSON value.")
    var data: String

    @Flag(help: "Keep the message for each client until it is acknowledged or expires.")
    var stored = false

    @Option(help: ArgumentHelp("How long the message is worth delivering: 90s, 10m, 1h, 7d.", valueName: "duration"))
    var ttl: TimeToLive?

    @Option(help: "A newer message with this key replaces an older one that was not acknowledged.")
    var collapseKey: String?

    @Option(help: "A repeated push with this key sends nothing, for 10 minutes.")
    var dedupeKey: String?

    @Option(help: "Clients a second, for a list that becomes a job; connections a second with --everyone.")
    var rate: Int?

    @Flag(help: "Leave out lines of the file that are no client ids, and say which.")
    var skipBadLines = false

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard [to != nil, file != nil, !topic.isEmpty, everyone].count(where: \.self) == 1 else {
            throw ValidationError("give one of --to, --file, --topic and --everyone")
        }
        guard audience == nil || !(stored || ttl != nil || collapseKey != nil) else {
            throw ValidationError("--stored, --ttl and --collapse-key go with clients")
        }
        guard topic.isEmpty || rate == nil else { throw ValidationError("--rate does not go with --topic") }
        guard !skipBadLines || file != nil else { throw ValidationError("--skip-bad-lines goes with --file") }
        guard (try? JSONSerialization.jsonObject(with: Data(data.utf8), options: .fragmentsAllowed)) != nil else {
            throw ValidationError("--data is not JSON; a text needs its quotes: --data '\"hello\"'")
        }
        if let rate, rate < 1 { throw ValidationError("--rate is at least 1") }
    }

    func run() async throws {
        let answer = try await send()
        if let job = try? APIClient.decode(answer, as: AcceptedJob.self) {
            try await follow(job, answer)
        } else if output.json {
            Output.line(json: answer)
        } else if let duplicate = try? APIClient.decode(answer, as: DuplicatePush.self) {
            Output.line("push \(duplicate.id) was sent before; nothing was sent now")
        } else if audience != nil {
            Output.line(try APIClient.decode(answer, as: TopicReceipt.self).text)
        } else {
            Output.line(try APIClient.decode(answer, as: Receipt.self).text)
        }
    }

    /// Nil when the push is for clients.
    var audience: PushBody.Audience? {
        if everyone { return .everyone }
        return topic.isEmpty ? nil : .topics(topic)
    }

    var fields: PushBody {
        PushBody(
            data: Array(data.utf8), mode: stored ? "stored" : nil, timeToLive: ttl?.seconds, collapseKey: collapseKey,
            dedupeKey: dedupeKey, rate: rate)
    }

    private func send() async throws -> Data {
        if let audience {
            return try await route.client.post("/v1/push", fields.json(to: audience), timeout: .seconds(120))
        }
        guard let file else {
            let ids = (to ?? "").split(separator: ",").map(String.init)
            guard !ids.isEmpty else { throw CommandFailure("there is no client to push to") }
            return try await route.client.post("/v1/push", fields.json(clients: ids), timeout: .seconds(120))
        }
        let list = try ListFile(path: file, fields: fields, skipsBadLines: skipBadLines)
        return try await route.client.post(list, timeout: .minutes(30))
    }

    private func print(_ job: AcceptedJob, _ progress: JobProgress) {
        Output.line(progress.text(of: job.id))
        if let lines = job.bad_lines { Output.line(lines.text) }
        if progress.hasUndelivered { Output.note("windfire job \(job.id) --undelivered names who was not reached") }
    }

    private func follow(_ job: AcceptedJob, _ answer: Data) async throws {
        if !output.json {
            Output.note(
                job.isDuplicate
                    ? "job \(job.id) was begun before; nothing was sent now"
                    : "job \(job.id) has begun, and goes on also when this command ends")
        }
        let watch = JobWatch(client: route.client, bar: output.json ? nil : ProgressBar.onTerminal)
        let (progress, body) = try await watch.untilEnded(job.id)
        if output.json { Output.line(json: body) } else { print(job, progress) }
        guard progress.state == "finished" else {
            throw CommandFailure("the job is \(progress.state)" + (progress.reason.map { ": \($0)" } ?? ""))
        }
    }
}

/// A duration as the configuration writes it, in whole seconds.
struct TimeToLive: ExpressibleByArgument {
    let seconds: Int64

    init?(argument: String) {
        guard let duration = DurationText.duration(of: argument), duration >= .seconds(1) else { return nil }
        seconds = duration.components.seconds
    }
}
