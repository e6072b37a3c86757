import ArgumentParser
import Foundation
import NIOCore

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Push to clients and print the receipt.",
        discussion: "Exits 0 when the push was carried out, also when somebody was offline; the receipt tells.")

    @Option(help: "Client ids, separated by commas.")
    var to: String?

    @Option(help: "A file with one client id per line.")
    var file: String?

    @Option(help: "What to push: one JSON value.")
    var data: String

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (to == nil) != (file == nil) else { throw ValidationError("give either --to or --file") }
        guard (try? JSONSerialization.jsonObject(with: Data(data.utf8), options: .fragmentsAllowed)) != nil else {
            throw ValidationError("--data is not JSON; a text needs its quotes: --data '\"hello\"'")
        }
    }

    func run() async throws {
        let ids = try clients()
        guard !ids.isEmpty else { throw CommandFailure("there is no client to push to") }
        let body = try PushBody.make(clients: ids, data: Array(data.utf8))
        let answer = try await route.client.post("/v1/push", body, timeout: .seconds(120))
        if output.json {
            Output.line(json: answer)
        } else {
            print(try APIClient.decode(answer, as: Receipt.self))
        }
    }

    private func clients() throws -> [String] {
        if let to { return to.split(separator: ",").map(String.init) }
        guard let file, let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure("the file of ids cannot be read")
        }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty
        }
    }

    private func print(_ receipt: Receipt) {
        Output.line("push \(receipt.id)")
        var counts = TextTable("total", "delivered", "offline", "failed")
        counts.add("\(receipt.total)", "\(receipt.delivered)", "\(receipt.offline)", "\(receipt.failed)")
        Output.line(counts.text)
        var rows = TextTable("client", "device", "status", "node", "reason")
        for row in receipt.results ?? receipt.undelivered ?? [] {
            rows.add(row.client, row.device ?? "-", row.status, row.node ?? "-", row.reason ?? "")
        }
        if !rows.isEmpty { Output.line("\n" + rows.text) }
    }
}

/// The answer of `POST /v1/push`.
struct Receipt: Decodable {
    struct Row: Decodable {
        let client: String
        let device: String?
        let status: String
        let node: String?
        let reason: String?
    }

    let id: String
    let total: Int
    let delivered: Int
    let offline: Int
    let failed: Int
    let results: [Row]?
    let undelivered: [Row]?
    let timing_ms: [String: Double]?
}

/// The body of `POST /v1/push`.
enum PushBody {
    /// - Parameter data: one JSON value.
    static func make(clients: [String], data: [UInt8]) throws -> ByteBuffer {
        var body = ByteBuffer()
        body.reserveCapacity(64 + data.count + clients.reduce(0) { $0 + $1.utf8.count + 3 })
        body.writeString(#"{"to":{"clients":"#)
        body.writeBytes(try JSONEncoder().encode(clients))
        body.writeString(#"},"data":"#)
        body.writeBytes(data)
        body.writeString("}")
        return body
    }
}
