/// Smooth weighted round-robin, as nginx does it: each turn every node gains its weight, the richest is taken and pays
/// the sum of all. Weights 5, 1, 1 give a a b a c a a, never five in a row.
///
/// The state is per process; several AuthServices each run their own round, which evens out.
package struct RoundRobin: Hashable, Sendable {
    private var credit: [NodeID: Double] = [:]

    package init() {}

    /// - Parameter nodes: eligible ones, in any fixed order.
    /// - Returns: places in `nodes`, best first, at most `count`.
    package mutating func rank(_ nodes: [AssignmentNode], count: Int) -> [Int] {
        guard !nodes.isEmpty else { return [] }
        var total = 0.0
        for node in nodes {
            credit[node.id, default: 0] += node.effectiveWeight
            total += node.effectiveWeight
        }
        let order = nodes.indices.sorted { left, right in
            let (leftCredit, rightCredit) = (credit[nodes[left].id] ?? 0, credit[nodes[right].id] ?? 0)
            return leftCredit != rightCredit ? leftCredit > rightCredit : nodes[left].id < nodes[right].id
        }
        credit[nodes[order[0]].id, default: 0] -= total
        return Array(order.prefix(count))
    }

    /// Forgets nodes that are gone, so that the state never outgrows the list.
    package mutating func keep(_ ids: Set<NodeID>) {
        credit = credit.filter { ids.contains($0.key) }
    }
}
