// `windfire subscribe`: a device at the terminal, to see what arrives.

import ArgumentParser
import Common
import Foundation
import PushClient

struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Connect as a client: one JSON line per message, each acknowledged; comes back after losses.",
        discussion: """
            States, gaps and refusals go to standard error. Ends with 0 at Ctrl-C, with 1 when the server does not \
            want it back or refuses a topic.
            """)

    @Option(help: "Who to be.")
    var client: String

    @Option(help: "Which device of the client.")
    var device = "default"

    @Option(help: "The client's secret. Better in WINDFIRE_SECRET, where other users of the machine cannot read it.")
    var secret = SecretValue(variable: "WINDFIRE_SECRET")

    @Option(help: "File that keeps the place in the stored messages, so that none is printed twice.")
    var cursor: String?

    @Flag(help: "Take no stored messages.")
    var liveOnly = false

    @Option(help: "A topic to hear, or a pattern with + and #. May be given several times.")
    var topic: [String] = []

    @Option(help: "The position of the last message heard of the topic: begin behind it. With one --topic.")
    var since: String?

    @Option(help: "End after this many messages.")
    var count: Int?

    @Flag(name: .shortAndLong, help: "Do not print states.")
    var quiet = false

    @OptionGroup var auth: AuthOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
        do throws(WindfireError) {
            let patterns = try topic.map { text throws(WindfireError) in try TopicPattern(text) }
            guard let since else { return }
            _ = try HistoryPosition(since)
            guard patterns.count == 1, !patterns[0].isWildcard else {
                throw WindfireError(.invalidRequest, "--since goes with one --topic, and not with a pattern")
            }
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        var configuration = PushClient.Configuration(
            login: .secret(service: auth.url, client: client, device: device, secret: secret.text))
        let file = cursor.map { FileCursor(path: $0) }
        configuration.cursorStore = file
        configuration.takesStoredMessages = !liveOnly
        let push = PushClient(configuration: configuration)
        let interrupted = Task {
            await Interruption.wait()
            await push.close()
        }
        let states = Task { [quiet] in
            for await state in push.states where !quiet { Output.note(Self.text(of: state)) }
        }
        let notices = push.topicNotices
        let refusal = Task { [quiet] in await Self.watch(notices, of: push, quiet: quiet) }
        // Without a connection they are noted, and said with the welcome.
        for topic in topic { try await push.subscribe(to: topic, since: since) }
        await push.start()
        var left = count
        for await message in push.messages {
            Output.line(Self.line(of: message))
            await push.acknowledge(message)
            left = left.map { $0 - 1 }
            if left == 0 { await push.close() }
        }
        file?.flush()
        await states.value
        interrupted.cancel()
        if let refusal = await refusal.value { throw CommandFailure(refusal) }
        if case .closed(let ending) = push.state, ending != .closedByUser {
            throw CommandFailure(Self.text(of: ending))
        }
    }

    /// Tells what happens to the topics until the client is closed, and closes it when one is refused.
    /// - Returns: the reason then.
    private static func watch(
        _ notices: AsyncStream<PushClient.TopicNotice>, of push: PushClient, quiet: Bool
    ) async -> String? {
        var refusal: String?
        for await notice in notices {
            switch notice {
            case .subscribed(let topic): if !quiet { Output.note("subscribed to \(topic)") }
            case .gap(let topic, let missed, let reason):
                Output.note("\(topic): \(missed) messages cannot be had any more: \(reason)")
            case .refused(let topic, let code, let message):
                refusal = refusal ?? "\(topic): \(code): \(message)"
                await push.close()
            }
        }
        return refusal
    }

    static func line(of message: PushClient.Message) -> String {
        var fields = [#""id":\#(quoted(message.id))"#, #""ts":\#(message.timestamp)"#]
        if let from = message.from { fields.append(#""from":\#(quoted(from))"#) }
        if let topic = message.topic { fields.append(#""topic":\#(quoted(topic))"#) }
        if let position = message.position { fields.append(#""position":\#(quoted(position))"#) }
        fields.append(#""data":\#(String(decoding: message.data, as: UTF8.self))"#)
        return "{\(fields.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    private static func text(of state: PushClient.State) -> String {
        switch state {
        case .idle: "idle"
        case .connecting: "connecting"
        case .connected(let node): "connected to \(node)"
        case .waiting(let until):
            "waiting \(DurationText.text(of: .milliseconds(milliseconds(until: until)))) before the next attempt"
        case .closed(let ending): "closed: \(text(of: ending))"
        }
    }

    private static func milliseconds(until instant: ContinuousClock.Instant) -> Int {
        Int(max(0, ContinuousClock.now.duration(to: instant) / .milliseconds(1)))
    }

    private static func text(of ending: PushClient.Ending) -> String {
        switch ending {
        case .closedByUser: "by request"
        case .tokenRefused(let code): "no token: \(code)"
        case .rejected(let reason, _, let message): "\(reason): \(message)"
        }
    }
}
