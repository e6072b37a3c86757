import Foundation
import TestKit
import Testing

extension EndToEnd {
    @Test(.timeLimit(.minutes(3))) func routesComeBackByThemselvesAfterRedisWasWiped() async throws {
        try await onCluster { cluster in
            let devices = try await Swarm.connect((0..<90).map { "wiped-\($0)" }, to: cluster)
            try await cluster.expectOnline(devices.count)

            let answer = try await cluster.redis.cli("FLUSHALL")
            #expect(answer == "OK")
            try await cluster.expectRoutes(devices.count, within: .seconds(90))
            let receipt = try await cluster.push(devices.map(\.client))
            #expect(receipt.delivered == devices.count)
            try await eventually("each has got it once, on the connection it had") {
                devices.allSatisfy { $0.isOpen && $0.heard.messages == [receipt.id: 1] }
            }
        }
    }

    @Test(.timeLimit(.minutes(3))) func withoutZooKeeperConnectionsTokensAndPushesGoOn() async throws {
        try await onCluster { cluster in
            let devices = try await Swarm.connect((0..<30).map { "outage-\($0)" }, to: cluster)
            // Well beyond the session timeout in either case: every ephemeral entry is gone in the end.
            let isLong = ProcessInfo.processInfo.environment["WINDFIRE_LONG"] == "1"
            let end = ContinuousClock.now + .seconds(isLong ? 60 : 20)
            await cluster.zookeeper.kill()

            var rounds = 0
            var newcomers: [SwarmDevice] = []
            while ContinuousClock.now < end {
                newcomers.append(try await cluster.connect("newcomer-\(rounds)"))
                let all = devices + newcomers
                let receipt = try await cluster.push(all.map(\.client))
                try #require(receipt.delivered == all.count, "round \(rounds)")
                try await eventually("everyone has got it") { all.allSatisfy { $0.heard.messages[receipt.id] == 1 } }
                try await never(for: .seconds(1), "a connection ends for want of ZooKeeper") {
                    all.contains { !$0.isOpen }
                }
                rounds += 1
            }
            try #require(rounds > 2)

            try await cluster.zookeeper.restart()
            try await eventually(within: .seconds(60), "the list is current again, with every node") {
                let nodes = try await cluster.nodesReport()
                return nodes.current && nodes.nodes.count(where: { $0.state == "up" }) == 3
            }
            let all = devices + newcomers
            try await cluster.expectOnline(all.count)
            #expect(all.allSatisfy { $0.isOpen })
        }
    }
}

/// `GET /v1/nodes`.
struct NodesAnswer: Decodable {
    struct Node: Decodable {
        let id: String
        let state: String
    }

    let current: Bool
    let nodes: [Node]
}

extension WindfireCluster {
    func nodesReport() async throws -> NodesAnswer {
        try await HTTPCall(url: "\(routeURL)/v1/nodes", bearer: adminKey).answer().expect(200).decoded()
    }

    /// As many routes in Redis as there are connections, whatever the nodes have reported so far.
    func expectRoutes(_ count: Int, within limit: Duration) async throws {
        try await eventually(within: limit, "\(count) routes again, and no difference") {
            let online = try await online()
            return online.routes == count && online.online == count && online.difference == 0
        }
    }
}
