#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Weighted consistent hashing with bounded load.
///
/// The form is weighted rendezvous hashing (Thaler, Ravishankar 1998; weights by the logarithm method of Schindelhauer,
/// Schomaker 2005): each client draws a number for each node, and the highest wins. Compared with a ring of virtual
/// points, shares are exactly proportional to the weights for any weights, only the clients of a changed node move, the
/// whole order is there for alternatives, and there is no ring to build: the table is one hash per node. It costs one
/// hash and one logarithm per node and look-up; 100 nodes take some 3 µs.
///
/// Bounded load (Mirrokni, Thorup, Zadimoghaddam 2016): a node that holds more than `loadFactor` times its share is
/// passed over for the client's next choice, until others have caught up.
package struct ConsistentHash: Sendable {
    /// How far above its share a node may be.
    package static let loadFactor = 1.25
    /// Below this many sessions per node there is nothing to balance, and a client keeps its place.
    package static let boundMin = 64.0

    /// One per node, by id: made once per node list.
    private let seeds: [NodeID: UInt64]

    package init(_ ids: some Sequence<NodeID>) {
        seeds = Dictionary(ids.map { ($0, StableHash.of($0.text)) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter nodes: eligible ones.
    /// - Returns: places in `nodes`, best first, at most `count`. Nodes above their bound come last, not never: when
    ///   all are above it, the load is even anyway.
    package func rank(_ nodes: [AssignmentNode], client: ClientID, count: Int) -> [Int] {
        let hash = StableHash.of(client.text)
        var weights = 0.0
        var online = 0
        for node in nodes {
            weights += node.effectiveWeight
            online += node.online
        }
        let perWeight = Self.loadFactor * Double(online + 1) / max(weights, .leastNonzeroMagnitude)
        var best: [(place: Int, score: Double, isOver: Bool)] = []
        best.reserveCapacity(count + 1)
        for (place, node) in nodes.enumerated() {
            let seed = seeds[node.id] ?? StableHash.of(node.id.text)
            let entry = (
                place: place,
                score: Self.score(StableHash.mixed(hash ^ seed), weight: node.effectiveWeight),
                isOver: Double(node.online) >= max(Self.boundMin, perWeight * node.effectiveWeight)
            )
            let position = best.firstIndex { Self.isBetter(entry, $0) } ?? best.count
            guard position < count else { continue }
            best.insert(entry, at: position)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.place)
    }

    /// −weight ÷ ln(u) with u uniform in (0, 1): the maximum falls on a node with probability weight ÷ sum of weights.
    private static func score(_ hash: UInt64, weight: Double) -> Double {
        let uniform = (Double(hash >> 11) + 0.5) / 9_007_199_254_740_992
        return -weight / log(uniform)
    }

    private static func isBetter(
        _ left: (place: Int, score: Double, isOver: Bool), _ right: (place: Int, score: Double, isOver: Bool)
    ) -> Bool {
        left.isOver != right.isOver ? !left.isOver : left.score > right.score
    }
}
