/// Chooses nodes: the list of push servers with their loads, and a strategy. A value; whoever owns it decides when it
/// is updated, and what the time and the random numbers are.
package struct Assigner: Sendable {
    /// Reports older than this are ignored: the node is silent, or its clock is far off.
    package static let reportAgeMaxMilliseconds: UInt64 = 10_000

    package let strategy: AssignmentStrategy
    /// Sorted by id, eligible or not.
    package private(set) var nodes: [AssignmentNode] = []

    private let automaticWeight: AutomaticWeight.Configuration?
    private var weights: [NodeID: AutomaticWeight] = [:]
    /// The last report taken in, by node.
    private var reports: [NodeID: NodeLoad] = [:]
    private var roundRobin = RoundRobin()
    private var consistentHash = ConsistentHash([])

    /// - Parameter automaticWeight: nil leaves configured weights as they are.
    package init(
        _ strategy: AssignmentStrategy = .consistentHash,
        automaticWeight: AutomaticWeight.Configuration? = .init()
    ) {
        self.strategy = strategy
        self.automaticWeight = automaticWeight
    }

    /// Takes in the members and the loads as they are now known. Call it when either changes; with the same values
    /// again nothing happens.
    /// - Parameters:
    ///   - loads: nil when the route store does not answer: the last known figures stay.
    ///   - now: Unix milliseconds.
    package mutating func update(_ members: Members, loads: [NodeID: NodeLoad]?, now: UInt64) {
        let previous = Dictionary(nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        nodes = members.sorted.map { member in
            let known = previous[member.id]
            var online = known?.online ?? 0
            if let load = loads?[member.id], load.incarnation == member.incarnation,
                now <= load.at || now - load.at <= Self.reportAgeMaxMilliseconds
            {
                if reports[member.id] != load {
                    takeIn(load, capacity: member.capacity)
                    online = load.online
                }
            } else if reports[member.id]?.incarnation != member.incarnation {
                // A new life has no sessions but those we have sent there; an old life's figures say nothing.
                if reports.removeValue(forKey: member.id) != nil { online = 0 }
                weights[member.id] = nil
            }
            let factor = automaticWeight == nil ? 1 : weights[member.id]?.factor ?? 1
            return AssignmentNode(
                id: member.id, weight: member.weight, effectiveWeight: Double(member.weight) * factor, online: online,
                capacity: member.capacity, zone: member.zone, isUp: member.state == .up)
        }
        let ids = Set(nodes.map(\.id))
        if ids != Set(previous.keys) {
            consistentHash = ConsistentHash(ids)
            roundRobin.keep(ids)
            weights = weights.filter { ids.contains($0.key) }
            reports = reports.filter { ids.contains($0.key) }
        }
    }

    private mutating func takeIn(_ load: NodeLoad, capacity: Int) {
        let id = load.incarnation.node
        reports[id] = load
        guard let automaticWeight else { return }
        let pressure = AutomaticWeight.pressure(
            online: load.online, capacity: capacity, cpu: load.cpu, loopLagMilliseconds: load.loopLagMilliseconds,
            automaticWeight)
        weights[id, default: AutomaticWeight()].report(pressure: pressure, automaticWeight)
    }

    /// Chooses a node and up to three others; nil when no node can take the client. The chosen node counts as one
    /// fuller until its next report, so that replicas do not all fill the same node between two reports.
    /// - Parameter zone: where the client says it is; nodes there come first.
    package mutating func assign(
        _ client: ClientID, zone: String? = nil, random: inout some RandomNumberGenerator
    ) -> Assignment? {
        let wanted = Assignment.alternativesMax + 1
        let eligible = nodes.filter(\.isEligible)
        var order: [AssignmentNode] = []
        if let zone {
            order = rank(eligible.filter { $0.zone == zone }, client, wanted, &random)
        }
        if order.isEmpty {
            order = rank(eligible, client, wanted, &random)
        } else if order.count < wanted {
            // Only alternatives are still open. They are spread by client and cost a round-robin nothing.
            let rest = eligible.filter { $0.zone != zone }
            order += consistentHash.rank(rest, client: client, count: wanted - order.count).map { rest[$0] }
        }
        guard let first = order.first else { return nil }
        if let place = nodes.firstIndex(where: { $0.id == first.id }) { nodes[place].online += 1 }
        return Assignment(node: first.id, alternatives: order.dropFirst().map(\.id))
    }

    /// For a client that stays where it is: its node, if that is up, and up to three others. Counts nothing.
    package func keeping(_ id: NodeID, for client: ClientID) -> Assignment? {
        guard let node = nodes.first(where: { $0.id == id }), node.isUp else { return nil }
        let rest = nodes.filter { $0.isEligible && $0.id != id }
        let order = consistentHash.rank(rest, client: client, count: Assignment.alternativesMax)
        return Assignment(node: id, alternatives: order.map { rest[$0].id })
    }

    private mutating func rank(
        _ nodes: [AssignmentNode], _ client: ClientID, _ count: Int, _ random: inout some RandomNumberGenerator
    ) -> [AssignmentNode] {
        let places =
            switch strategy {
            case .roundRobin: roundRobin.rank(nodes, count: count)
            case .hashMod: HashMod.rank(nodes, client: client, count: count)
            case .consistentHash: consistentHash.rank(nodes, client: client, count: count)
            case .leastLoad: LeastLoad.rank(nodes, count: count, random: &random)
            }
        return places.map { nodes[$0] }
    }
}
