/// The client's hash modulo the sum of the configured weights. Every process with the same list gives the same answer;
/// when the list changes nearly everybody moves. For those who want to compute a client's node elsewhere.
///
/// Takes configured weights on purpose: with automatic ones the modulus would change every few seconds.
package enum HashMod {
    /// - Parameter nodes: eligible ones, sorted by id.
    /// - Returns: places in `nodes`: the chosen one and its successors, at most `count`.
    package static func rank(_ nodes: [AssignmentNode], client: ClientID, count: Int) -> [Int] {
        let total = nodes.reduce(0) { $0 + UInt64(clamping: $1.weight) }
        guard total > 0 else { return [] }
        var slot = StableHash.of(client.text) % total
        var chosen = 0
        for (place, node) in nodes.enumerated() {
            let weight = UInt64(clamping: node.weight)
            if slot < weight {
                chosen = place
                break
            }
            slot -= weight
        }
        return (0..<min(count, nodes.count)).map { (chosen + $0) % nodes.count }
    }
}
