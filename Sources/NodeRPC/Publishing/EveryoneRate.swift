import Common

/// Divides the rate of a message for everyone among the nodes, by their shares of the sessions that are online. Pure.
enum EveryoneRate {
    /// - Parameters:
    ///   - perSecondMax: sessions a second, over all nodes; at least 1.
    ///   - loads: what the nodes reported last. A node without a report counts as the average of the others.
    /// - Returns: sessions a second for each member, at least 1: so the sum may be larger than what was asked for by as
    ///   many as there are nodes.
    static func shares(_ perSecondMax: Int, among members: [Member], loads: [NodeID: NodeLoad]) -> [UInt32] {
        let online = members.map { member -> Double? in
            guard let load = loads[member.id], load.incarnation == member.incarnation else { return nil }
            return Double(max(load.online, 0))
        }
        let known = online.compactMap(\.self)
        let average = known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
        let weights = online.map { $0 ?? average }
        let sum = weights.reduce(0, +)
        return weights.map { weight in
            let share = sum > 0 ? weight / sum : 1 / Double(members.count)
            return UInt32(clamping: max(1, Int(Double(perSecondMax) * share)))
        }
    }
}
