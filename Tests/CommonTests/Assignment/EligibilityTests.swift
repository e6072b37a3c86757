import TestKit
import Testing

@testable import Common

/// Who is never handed out, and in what order the others come.
@Suite struct EligibilityTests {
    private static func member(_ id: String, zone: String? = nil, state: Member.State = .up, weight: Int = 100)
        -> Member
    {
        Member(
            incarnation: Incarnation(node: NodeID(unchecked: id), life: 1), state: state, weight: weight, capacity: 100,
            zone: zone, endpoints: Endpoints(), version: "1", startedAt: 0)
    }

    private static func load(_ member: Member, online: Int, at: UInt64 = 0, cpu: Double = 0) -> NodeLoad {
        NodeLoad(incarnation: member.incarnation, online: online, cpu: cpu, loopLagMilliseconds: 0, at: at)
    }

    /// 10,000 random node lists for each strategy.
    @Test(arguments: AssignmentStrategy.allCases)
    func noDrainingFullOrWeightlessNodeIsEverPicked(strategy: AssignmentStrategy) {
        let seed = UInt64.random(in: .min ... .max)
        print("eligibility of \(strategy.rawValue): seed \(seed)")
        var random = SplitMix(seed: seed)
        for round in 0..<10_000 {
            var bad: Set<NodeID> = []
            var members: [Member] = []
            var loads: [NodeID: NodeLoad] = [:]
            for place in 0..<Int.random(in: 0...8, using: &random) {
                let kind = Int.random(in: 0..<6, using: &random)
                let member = Self.member(
                    "n\(place)", zone: ["a", "b", nil].randomElement(using: &random) ?? nil,
                    state: kind == 0 ? .draining : .up,
                    weight: kind == 1 ? 0 : Int.random(in: 1...300, using: &random))
                let online =
                    kind == 2 ? Int.random(in: 100...200, using: &random) : Int.random(in: 0..<99, using: &random)
                if kind < 3 { bad.insert(member.id) }
                members.append(member)
                loads[member.id] = Self.load(member, online: online, cpu: .random(in: 0...1.5, using: &random))
            }
            var assigner = Assigner(strategy)
            assigner.update(Members(members), loads: loads, now: 0)
            let client = ClientID(unchecked: "client-\(round)")
            let zone = ["a", "c", nil].randomElement(using: &random) ?? nil
            let assignment = assigner.assign(client, zone: zone, random: &random)
            let good = Set(members.map(\.id)).subtracting(bad)
            let picked = assignment.map { [$0.node] + $0.alternatives } ?? []
            #expect(picked.allSatisfy(good.contains), "seed \(seed), round \(round)")
            #expect(Set(picked).count == picked.count, "seed \(seed), round \(round)")
            #expect(picked.count == min(4, good.count), "seed \(seed), round \(round)")
            if let zone, let first = assignment?.node,
                members.contains(where: { good.contains($0.id) && $0.zone == zone })
            {
                #expect(members.first { $0.id == first }?.zone == zone, "seed \(seed), round \(round)")
            }
        }
    }

    @Test(arguments: AssignmentStrategy.allCases)
    func aNodeFillsUpBetweenTwoReportsAndIsThenLeftAlone(strategy: AssignmentStrategy) {
        var random = SplitMix(seed: 7)
        let member = Self.member("only")
        var assigner = Assigner(strategy)
        assigner.update(Members([member]), loads: [member.id: Self.load(member, online: 98)], now: 0)
        let client = ClientID(unchecked: "c")
        #expect(assigner.assign(client, random: &random)?.node == member.id)
        #expect(assigner.assign(client, random: &random)?.node == member.id)
        #expect(assigner.assign(client, random: &random) == nil)
        assigner.update(Members([member]), loads: [member.id: Self.load(member, online: 50, at: 2_000)], now: 2_000)
        #expect(assigner.assign(client, random: &random)?.node == member.id)
    }

    @Test func zonesComeFirstAndOthersFillUp() {
        var random = SplitMix(seed: 7)
        let members = [Self.member("a1", zone: "a"), Self.member("b1", zone: "b"), Self.member("none")]
        for strategy in AssignmentStrategy.allCases {
            var assigner = Assigner(strategy)
            assigner.update(Members(members), loads: [:], now: 0)
            let assignment = assigner.assign(ClientID(unchecked: "c"), zone: "b", random: &random)
            #expect(assignment?.node == NodeID(unchecked: "b1"))
            #expect(Set(assignment?.alternatives ?? []) == [NodeID(unchecked: "a1"), NodeID(unchecked: "none")])
        }
    }

    @Test func anotherLifesReportAndAnOldOneAreIgnored() {
        let member = Self.member("n")
        let earlier = NodeLoad(
            incarnation: Incarnation(node: member.id, life: 9), online: 100, cpu: 0, loopLagMilliseconds: 0, at: 50_000)
        var assigner = Assigner(.consistentHash)
        assigner.update(Members([member]), loads: [member.id: earlier], now: 50_000)
        #expect(assigner.nodes.map(\.online) == [0])
        assigner.update(Members([member]), loads: [member.id: Self.load(member, online: 40, at: 39_999)], now: 50_000)
        #expect(assigner.nodes.map(\.online) == [0])
        assigner.update(Members([member]), loads: [member.id: Self.load(member, online: 40, at: 40_000)], now: 50_000)
        #expect(assigner.nodes.map(\.online) == [40])
        // The store is away: the last known figure stays.
        assigner.update(Members([member]), loads: nil, now: 90_000)
        #expect(assigner.nodes.map(\.online) == [40])
    }

    @Test func aClientThatStaysKeepsItsNodeUnlessItLeaves() {
        let members = [Self.member("a"), Self.member("b", weight: 0), Self.member("c", state: .draining)]
        var assigner = Assigner()
        assigner.update(Members(members), loads: [:], now: 0)
        let client = ClientID(unchecked: "c")
        #expect(
            assigner.keeping(NodeID(unchecked: "b"), for: client)
                == Assignment(node: NodeID(unchecked: "b"), alternatives: [NodeID(unchecked: "a")]))
        #expect(assigner.keeping(NodeID(unchecked: "c"), for: client) == nil)
        #expect(assigner.keeping(NodeID(unchecked: "gone"), for: client) == nil)
    }

    @Test func theSameReportIsTakenInOnce() {
        let member = Self.member("n")
        var assigner = Assigner()
        let busy = Self.load(member, online: 100, cpu: 1)
        assigner.update(Members([member]), loads: [member.id: busy], now: 0)
        let once = assigner.nodes.map(\.effectiveWeight)
        for _ in 0..<20 { assigner.update(Members([member]), loads: [member.id: busy], now: 0) }
        #expect(assigner.nodes.map(\.effectiveWeight) == once)
        #expect(once == [90])
    }
}
