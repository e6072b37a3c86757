import TestKit
import Testing

@testable import Common

/// Shares and movement, over many clients.
@Suite struct AssignmentShareTests {
    static let clients = (0..<100_000).map { ClientID(unchecked: "client-\($0)") }

    /// Ten nodes of weights 50 to 200.
    static let weights = [50, 60, 75, 90, 100, 110, 125, 150, 180, 200]

    static func members(_ weights: [Int], capacity: Int = 10_000_000) -> Members {
        Members(
            weights.enumerated().map { place, weight in
                Member(
                    incarnation: Incarnation(node: NodeID(unchecked: "node-\(place)"), life: 1), weight: weight,
                    capacity: capacity, endpoints: Endpoints(), version: "1", startedAt: 0)
            })
    }

    @Test(arguments: AssignmentStrategy.allCases)
    func tenWeightedNodesGetTheirShares(strategy: AssignmentStrategy) throws {
        let seed = UInt64.random(in: .min ... .max)
        print("shares of \(strategy.rawValue): seed \(seed)")
        var random = SplitMix(seed: seed)
        var assigner = Assigner(strategy)
        assigner.update(Self.members(Self.weights), loads: [:], now: 0)
        var counts: [NodeID: Int] = [:]
        for client in Self.clients {
            counts[try #require(assigner.assign(client, random: &random)).node, default: 0] += 1
        }
        let total = Double(Self.weights.reduce(0, +))
        for (place, weight) in Self.weights.enumerated() {
            let ideal = Double(Self.clients.count) * Double(weight) / total
            let count = Double(counts[NodeID(unchecked: "node-\(place)")] ?? 0)
            #expect(abs(count - ideal) <= ideal * 0.1, "\(strategy.rawValue) node-\(place): \(count) for \(ideal)")
        }
    }

    /// Without the counts of this process's own assignments, as with a fresh assigner per client: the hash alone.
    private func places(_ members: Members) -> [NodeID] {
        let nodes = members.sorted.map {
            AssignmentNode(id: $0.id, weight: $0.weight, capacity: $0.capacity)
        }
        let hash = ConsistentHash(nodes.map(\.id))
        return Self.clients.map { nodes[hash.rank(nodes, client: $0, count: 1)[0]].id }
    }

    @Test func addingANodeMovesOnlyItsShare() {
        let before = places(Self.members(Array(repeating: 100, count: 10)))
        let after = places(Self.members(Array(repeating: 100, count: 11)))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(Double(moved.count) <= 1.5 / 11 * Double(Self.clients.count))
        // Nobody moves between old nodes.
        #expect(moved.allSatisfy { $0.1 == NodeID(unchecked: "node-10") })
    }

    @Test func removingANodeMovesOnlyItsClients() {
        let before = places(Self.members(Array(repeating: 100, count: 10)))
        let after = places(Self.members(Array(repeating: 100, count: 9)))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(Double(moved.count) <= 1.5 / 10 * Double(Self.clients.count))
        #expect(moved.allSatisfy { $0.0 == NodeID(unchecked: "node-9") })
    }

    @Test func raisingAWeightOnlyMovesClientsThere() {
        var weights = Array(repeating: 100, count: 10)
        let before = places(Self.members(weights))
        weights[3] = 150
        let after = places(Self.members(weights))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(!moved.isEmpty)
        #expect(moved.allSatisfy { $0.1 == NodeID(unchecked: "node-3") })
    }

    /// The clients of a lost node go to all others, not to one neighbour.
    @Test func theClientsOfALostNodeAreSpread() {
        let before = places(Self.members(Array(repeating: 100, count: 10)))
        let after = places(Self.members(Array(repeating: 100, count: 9)))
        var received: [NodeID: Int] = [:]
        for (old, new) in zip(before, after) where old != new { received[new, default: 0] += 1 }
        let ideal = Double(received.values.reduce(0, +)) / 9
        #expect(received.count == 9)
        #expect(received.values.allSatisfy { abs(Double($0) - ideal) < ideal * 0.25 })
    }

    @Test func aNodeAboveItsBoundIsPassedOver() throws {
        let ids = (0..<4).map { NodeID(unchecked: "node-\($0)") }
        var nodes = ids.map { AssignmentNode(id: $0, weight: 100, online: 1_000, capacity: 10_000) }
        let hash = ConsistentHash(ids)
        let client = ClientID(unchecked: "alice")
        let order = hash.rank(nodes, client: client, count: 4)
        // Share 1,000 of 4,000; the bound is 1.25 times that, the one more included.
        nodes[order[0]].online = 1_800
        let now = hash.rank(nodes, client: client, count: 4)
        #expect(now == Array(order.dropFirst()) + [order[0]])
    }

    @Test func smallCountsAreNotBounded() {
        let ids = [NodeID(unchecked: "a"), NodeID(unchecked: "b")]
        let hash = ConsistentHash(ids)
        let client = ClientID(unchecked: "alice")
        let idle = ids.map { AssignmentNode(id: $0, weight: 100, capacity: 100) }
        let first = hash.rank(idle, client: client, count: 2)
        var busy = idle
        busy[first[0]].online = 63
        #expect(hash.rank(busy, client: client, count: 2) == first)
    }

    @Test func smoothRoundRobinInterleaves() {
        let nodes = [("a", 5), ("b", 1), ("c", 1)].map {
            AssignmentNode(id: NodeID(unchecked: $0.0), weight: $0.1, capacity: 100)
        }
        var roundRobin = RoundRobin()
        let turns = (0..<7).map { _ in nodes[roundRobin.rank(nodes, count: 1)[0]].id.text }
        // The example in nginx's own commit message.
        #expect(turns.joined(separator: " ") == "a a b a c a a")
    }

    @Test func leastLoadTakesTheEmptierOfTwo() {
        let nodes = [("a", 90), ("b", 10)].map {
            AssignmentNode(id: NodeID(unchecked: $0.0), weight: 100, online: $0.1, capacity: 100)
        }
        var random = SplitMix(seed: 1)
        for _ in 0..<100 { #expect(LeastLoad.rank(nodes, count: 2, random: &random) == [1, 0]) }
    }
}
