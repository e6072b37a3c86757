// `windfire subscribe`: a device at the terminal, to see what arrives.

import ArgumentParser
import Common
import Foundation
import PushClient

struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Connect as a client: one JSON line per message, each acknowledged; comes back after losses.",
        discussion: "States go to standard error. Ends with 0 at Ctrl-C, with 1 when the server does not want it back.")

    @Option(help: "Who to be.")
    var client: String

    @Option(help: "Which device of the client.")
    var device = "default"

    @Option(help: "The client's secret. Better in WINDFIRE_SECRET, where other users of the machine cannot read it.")
    var secret = Environment.text("WINDFIRE_SECRET") ?? "dev"

    @Option(help: "File that keeps the place in the stored messages, so that none is printed twice.")
    var cursor: String?

    @Flag(help: "Take no stored messages.")
    var liveOnly = false

    @Option(help: "End after this many messages.")
    var count: Int?

    @Flag(name: .shortAndLong, help: "Do not print states.")
    var quiet = false

    @OptionGroup var auth: AuthOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
    }

    func run() async throws {
        var configuration = PushClient.Configuration(
            login: .secret(service: auth.url, client: client, device: device, secret: secret))
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
        if case .closed(let ending) = push.state, ending != .closedByUser {
            throw CommandFailure(Self.text(of: ending))
        }
    }

    static func line(of message: PushClient.Message) -> String {
        let from = message.from.flatMap { try? JSONEncoder().encode($0) }.map {
            #","from":"# + String(decoding: $0, as: UTF8.self)
        }
        let data = String(decoding: message.data, as: UTF8.self)
        return #"{"id":"\#(message.id)","ts":\#(message.timestamp)\#(from ?? ""),"data":\#(data)}"#
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
