/// A push server as the strategies see it: numbers only.
package struct AssignmentNode: Hashable, Sendable {
    package let id: NodeID
    /// Configured share of new clients.
    package let weight: Int
    /// `weight` after automatic weighting; never above it.
    package var effectiveWeight: Double
    /// Sessions, as last reported, plus those handed out since.
    package var online: Int
    package let capacity: Int
    package let zone: String?
    package let isUp: Bool

    package init(
        id: NodeID, weight: Int, effectiveWeight: Double? = nil, online: Int = 0, capacity: Int, zone: String? = nil,
        isUp: Bool = true
    ) {
        self.id = id
        self.weight = weight
        self.effectiveWeight = min(effectiveWeight ?? Double(weight), Double(weight))
        self.online = online
        self.capacity = capacity
        self.zone = zone
        self.isUp = isUp
    }

    /// Whether a new client may be sent there at all.
    package var isEligible: Bool { isUp && weight > 0 && effectiveWeight > 0 && online < capacity }
}

/// How a node is chosen for a client.
package enum AssignmentStrategy: String, Hashable, Sendable, CaseIterable {
    case roundRobin = "round-robin"
    case hashMod = "hash-mod"
    case consistentHash = "consistent-hash"
    case leastLoad = "least-load"
}

/// A choice, best first: the node, and where to go when it does not answer.
package struct Assignment: Hashable, Sendable {
    package static let alternativesMax = 3

    package let node: NodeID
    package let alternatives: [NodeID]

    package init(node: NodeID, alternatives: [NodeID]) {
        self.node = node
        self.alternatives = alternatives
    }
}
