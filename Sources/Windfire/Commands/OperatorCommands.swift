import ArgumentParser
import Foundation

// What an operator looks at: tables of what the HTTP API answers.

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "nodes", abstract: "List the push servers.")

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Decodable {
        struct Node: Decodable {
            let id: String
            let state: String
            let weight: Int
            let capacity: Int
            let zone: String?
            let endpoints: [String: String]
            let version: String
            let load: Load?
        }

        let current: Bool
        let nodes: [Node]
    }

    func run() async throws {
        let data = try await route.client.get("/v1/nodes")
        guard !output.json else { return Output.line(json: data) }
        let answer = try APIClient.decode(data, as: Answer.self)
        var table = TextTable(
            "node", "state", "online", "capacity", "weight", "cpu %", "lag ms", "zone", "address", "version")
        for node in answer.nodes {
            table.add(
                node.id, node.state, node.load.map { "\($0.online)" } ?? "-", "\(node.capacity)", "\(node.weight)",
                node.load.map { fixed($0.cpu * 100, 1) } ?? "-", node.load.map { fixed($0.loop_lag_ms, 1) } ?? "-",
                node.zone ?? "-", node.endpoints["ws"] ?? "-", node.version)
        }
        Output.line(table.isEmpty ? "no push server is up" : table.text)
        if !answer.current { Output.note("the registry is away; this is the last known list") }
    }
}

struct OnlineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "online", abstract: "Count who is connected, and hold it against the routes.")

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Decodable {
        struct Node: Decodable {
            let id: String
            let online: Int
            let routes: Int
            let state: String
            let weight: Int
        }

        let online: Int
        let routes: Int
        let difference: Int
        let nodes: [Node]
    }

    func run() async throws {
        let data = try await route.client.get("/v1/online")
        guard !output.json else { return Output.line(json: data) }
        let answer = try APIClient.decode(data, as: Answer.self)
        var table = TextTable("node", "state", "online", "routes", "difference", "weight")
        for node in answer.nodes {
            table.add(
                node.id, node.state, "\(node.online)", "\(node.routes)", "\(node.online - node.routes)",
                "\(node.weight)")
        }
        table.add("all", "", "\(answer.online)", "\(answer.routes)", "\(answer.difference)", "-")
        Output.line(table.text)
    }
}

struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Show where a client is connected.")

    @Argument(help: "The client's id.")
    var id: String

    @OptionGroup var route: RouteOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Decodable {
        struct Session: Decodable {
            let device: String
            let node: String
            let state: String
            let session: String
            let connected_at_ms: Double
        }

        let client: String
        let online: Bool
        let sessions: [Session]
    }

    func run() async throws {
        // RFC 3986, section 3.3: whatever is not unreserved is escaped, also `/`.
        let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        let name = id.addingPercentEncoding(withAllowedCharacters: allowed) ?? id
        let data = try await route.client.get("/v1/clients/\(name)")
        guard !output.json else { return Output.line(json: data) }
        let answer = try APIClient.decode(data, as: Answer.self)
        Output.line("\(answer.client) is \(answer.online ? "online" : "offline")")
        var table = TextTable("device", "node", "state", "session", "since")
        for session in answer.sessions {
            let since = Date(timeIntervalSince1970: session.connected_at_ms / 1_000)
            table.add(session.device, session.node, session.state, session.session, since.formatted(.iso8601))
        }
        if !table.isEmpty { Output.line(table.text) }
    }
}

/// What a node says about itself.
private struct Load: Decodable {
    let online: Int
    let cpu: Double
    let loop_lag_ms: Double
}

/// A number with this many decimals, without a locale.
func fixed(_ number: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", number) }
