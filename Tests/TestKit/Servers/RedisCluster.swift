import Common

/// A real Redis Cluster on loopback: three masters, three replicas, each in a folder of its own.
package final class RedisCluster: Sendable {
    package let nodes: [RedisServer]

    /// Starts the servers, joins them and waits until all agree. Takes some seconds.
    package init() async throws {
        var nodes: [RedisServer] = []
        for _ in 0..<6 {
            var options = RedisServer.Options()
            options.appendOnly = true
            options.lines = [
                "cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000",
                // The bus is at port + 10,000 otherwise, which somebody else may have.
                "cluster-port \(try FreePorts.one())",
            ]
            nodes.append(try await RedisServer(options))
        }
        self.nodes = nodes
        _ = try await nodes[0].cli(
            ["--cluster", "create"] + nodes.map(\.address) + ["--cluster-replicas", "1", "--cluster-yes"])
        for node in nodes {
            try await eventually(within: .seconds(30), "node \(node.port) sees the whole cluster") {
                let info = try await node.cli("CLUSTER", "INFO")
                let members = try await Self.members(asking: node)
                return info.contains("cluster_state:ok") && members.filter { !$0.isMaster }.count == 3
                    && members.filter { $0.isMaster && !$0.slots.isEmpty }.count == 3
            }
        }
    }

    /// `redis+cluster://` with three of the six.
    package var url: String { "redis+cluster://" + nodes[..<3].map(\.address).joined(separator: ",") }

    /// One line of `CLUSTER NODES`.
    struct Node: Sendable {
        let id: String
        let port: Int
        let isMaster: Bool
        let slots: [ClosedRange<Int>]
    }

    private static func members(asking node: RedisServer) async throws -> [Node] {
        // <id> <ip:port@bus> <flags> <master> <ping> <pong> <epoch> <link> <slot> <slot>-<slot> [<slot>-<-id>] …
        try await node.cli("CLUSTER", "NODES").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 8, !words[2].contains("fail"), let at = words[1].firstIndex(of: "@"),
                let port = words[1][..<at].split(separator: ":").last.flatMap({ Int($0) })
            else { return nil }
            let slots = words[8...].compactMap { word -> ClosedRange<Int>? in
                let ends = word.split(separator: "-").compactMap { Int($0) }
                return word.hasPrefix("[") ? nil : ends.first.map { $0...(ends.last ?? $0) }
            }
            return Node(id: String(words[0]), port: port, isMaster: words[2].contains("master"), slots: slots)
        }
    }

    private func server(_ node: Node) throws -> RedisServer {
        guard let server = nodes.first(where: { $0.port == node.port }) else {
            throw ChildProcessFailure("node \(node.port) is not one of ours")
        }
        return server
    }

    /// The master that serves a slot, as the first running node sees it.
    package func master(of slot: Int) async throws -> RedisServer {
        try server(try await owner(of: slot))
    }

    private func owner(of slot: Int) async throws -> Node {
        let members = try await Self.members(asking: nodes[0])
        guard let owner = members.first(where: { $0.isMaster && $0.slots.contains { $0.contains(slot) } }) else {
            throw ChildProcessFailure("nobody serves slot \(slot)")
        }
        return owner
    }

    // MARK: Moving a slot

    /// A slot on its way from one master to another. Between `begin` and `finish` the old owner answers ASK for keys
    /// that are over already.
    package struct Migration: Sendable {
        package let slot: Int
        package let source: RedisServer
        package let target: RedisServer
        fileprivate let sourceID: String
        fileprivate let targetID: String

        /// Moves up to `count` keys.
        /// - Returns: how many were there to move.
        @discardableResult
        package func moveKeys(_ count: Int) async throws -> Int {
            let keys = try await source.cli("CLUSTER", "GETKEYSINSLOT", "\(slot)", "\(count)").split(separator: "\n")
            guard !keys.isEmpty else { return 0 }
            let answer = try await source.cli(
                ["MIGRATE", "127.0.0.1", "\(target.port)", "", "0", "5000", "KEYS"] + keys.map(String.init))
            guard answer == "OK" || answer == "NOKEY" else { throw ChildProcessFailure("MIGRATE: \(answer)") }
            return keys.count
        }

        /// Moves one key.
        package func moveKey(_ key: String) async throws {
            let answer = try await source.cli("MIGRATE", "127.0.0.1", "\(target.port)", key, "0", "5000")
            guard answer == "OK" || answer == "NOKEY" else { throw ChildProcessFailure("MIGRATE: \(answer)") }
        }

        /// Moves what is left and says so to both.
        package func finish() async throws {
            while try await moveKeys(100) > 0 {}
            for node in [target, source] {
                let answer = try await node.cli("CLUSTER", "SETSLOT", "\(slot)", "NODE", targetID)
                guard answer == "OK" else { throw ChildProcessFailure("SETSLOT: \(answer)") }
            }
        }
    }

    /// Begins to move a slot to another master; no key is moved yet.
    package func beginMigration(of slot: Int) async throws -> Migration {
        let source = try await owner(of: slot)
        let masters = try await Self.members(asking: nodes[0]).filter { $0.isMaster && !$0.slots.isEmpty }
        guard let target = masters.first(where: { $0.id != source.id }) else {
            throw ChildProcessFailure("there is no second master")
        }
        let migration = Migration(
            slot: slot, source: try server(source), target: try server(target), sourceID: source.id,
            targetID: target.id)
        let importing = try await migration.target.cli("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source.id)
        let migrating = try await migration.source.cli("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target.id)
        guard importing == "OK", migrating == "OK" else {
            throw ChildProcessFailure("SETSLOT: \(importing), \(migrating)")
        }
        return migration
    }
}
