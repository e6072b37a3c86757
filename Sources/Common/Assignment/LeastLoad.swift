/// The better of two random choices, by online ÷ weight (Mitzenmacher, "The power of two choices", 2001): nearly as
/// even as asking everybody, without everybody choosing the same idle node between two load reports.
///
/// Candidates are drawn in proportion to weight, so that a heavy node among many light ones is drawn often enough to
/// reach its share.
package enum LeastLoad {
    /// - Parameter nodes: eligible ones.
    /// - Returns: places in `nodes`: the better candidate, the other one, and then by load, at most `count`.
    package static func rank(
        _ nodes: [AssignmentNode], count: Int, random: inout some RandomNumberGenerator
    ) -> [Int] {
        guard nodes.count > 1 else { return nodes.isEmpty ? [] : [0] }
        let first = draw(nodes, excluding: nil, random: &random)
        let second = draw(nodes, excluding: first, random: &random)
        let (winner, loser) =
            load(nodes[first]) <= load(nodes[second]) ? (first, second) : (second, first)
        var order = [winner, loser]
        if count > 2, nodes.count > 2 {
            let rest = nodes.indices.filter { $0 != winner && $0 != loser }
                .sorted { load(nodes[$0]) < load(nodes[$1]) }
            order += rest.prefix(count - 2)
        }
        return Array(order.prefix(count))
    }

    private static func load(_ node: AssignmentNode) -> Double { Double(node.online) / node.effectiveWeight }

    /// One place, in proportion to weight.
    private static func draw(
        _ nodes: [AssignmentNode], excluding excluded: Int?, random: inout some RandomNumberGenerator
    ) -> Int {
        var total = 0.0
        for (place, node) in nodes.enumerated() where place != excluded { total += node.effectiveWeight }
        var mark = Double.random(in: 0..<total, using: &random)
        var last = 0
        for (place, node) in nodes.enumerated() where place != excluded {
            last = place
            if mark < node.effectiveWeight { return place }
            mark -= node.effectiveWeight
        }
        // Rounding may leave a rest beyond the last one.
        return last
    }
}
