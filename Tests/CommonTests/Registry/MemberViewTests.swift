import Common
import TestKit
import Testing

@Suite("What a process believes about the members")
struct MemberViewTests {
    let start = ContinuousClock.now
    let nodes = (1...10).map { Member.sample("n\($0)") }

    func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    /// A view that knows the first `count` nodes.
    func view(of count: Int) -> MemberView {
        var view = MemberView(holdBack: .seconds(10))
        _ = view.read(Array(nodes.prefix(count)), now: start)
        return view
    }

    @Test("Nothing is known before the first reading, and an empty first reading is an answer")
    func first() {
        var view = MemberView()
        #expect(view.members == .unknown)
        let action = view.read([], now: start)
        #expect(action == .publish)
        #expect(view.members == Members([]))
        #expect(view.members.isKnown)
    }

    @Test("An equal reading publishes nothing")
    func equal() {
        var view = view(of: 3)
        let action = view.read(Array(nodes.prefix(3).reversed()), now: at(1))
        #expect(action == .none)
    }

    @Test("Up to half may leave at once", arguments: 1...5)
    func half(leaving: Int) {
        var view = view(of: 10)
        let action = view.read(Array(nodes.dropFirst(leaving)), now: at(1))
        #expect(action == .publish)
        #expect(view.members.byID.count == 10 - leaving)
    }

    @Test("More than half are held back, and go when they are still missing after the time", arguments: 6...10)
    func moreThanHalf(leaving: Int) {
        var view = view(of: 10)
        let rest = Array(nodes.dropFirst(leaving))
        let held = view.read(rest, now: at(1))
        #expect(held == .readAgain(until: at(11), publish: false))
        #expect(view.members == Members(nodes))
        let early = view.read(rest, now: at(10.999))
        #expect(early == .readAgain(until: at(11), publish: false))
        #expect(view.members == Members(nodes))
        let late = view.read(rest, now: at(11))
        #expect(late == .publish)
        #expect(view.members == Members(rest))
    }

    @Test("The last of one is more than half")
    func single() {
        var view = view(of: 1)
        let held = view.read([], now: at(0))
        #expect(held == .readAgain(until: at(10), publish: false))
        let late = view.read([], now: at(10))
        #expect(late == .publish)
        #expect(view.members == Members([]))
    }

    @Test("One of two is half, and goes at once")
    func oneOfTwo() {
        var view = view(of: 2)
        let action = view.read([nodes[1]], now: at(0))
        #expect(action == .publish)
    }

    @Test("Who comes back in time was never away, and needs the full time again later")
    func comesBack() {
        var view = view(of: 4)
        _ = view.read([], now: at(0))
        let back = view.read(Array(nodes.prefix(4)), now: at(5))
        #expect(back == .none)
        let again = view.read([], now: at(8))
        #expect(again == .readAgain(until: at(18), publish: false))
    }

    @Test("While some are held back, newcomers and changes are believed at once")
    func changesPass() {
        var view = view(of: 3)
        var draining = nodes[0]
        draining.state = .draining
        let held = view.read([draining, nodes[7]], now: at(0))
        // Two of three are missing: held. The change and the newcomer show.
        #expect(held == .readAgain(until: at(10), publish: true))
        #expect(view.members == Members([draining, nodes[1], nodes[2], nodes[7]]))
        let late = view.read([draining, nodes[7]], now: at(10))
        #expect(late == .publish)
        #expect(view.members == Members([draining, nodes[7]]))
    }

    @Test("When they come back one by one, the last one has the full time, too")
    func oneByOne() {
        var view = view(of: 3)
        _ = view.read([], now: at(0))
        for (count, second) in [(1, 1.0), (2, 2.0), (2, 9.9)] {
            let action = view.read(Array(nodes.prefix(count)), now: at(second))
            #expect(action == .readAgain(until: at(10), publish: false))
        }
        let all = view.read(Array(nodes.prefix(3)), now: at(9.95))
        #expect(all == .none)
    }

    @Test("A single one that leaves while others are held back is believed at once, unless it makes them too many")
    func leavesMeanwhile() {
        var view = view(of: 4)
        _ = view.read([nodes[3]], now: at(0))
        let most = view.read(Array(nodes[5...9]) + [nodes[3]], now: at(1))
        // n1 to n3 are held back, of nine known now.
        #expect(most == .readAgain(until: at(10), publish: true))
        let one = view.read(Array(nodes[5...9]), now: at(2))
        #expect(one == .readAgain(until: at(10), publish: true))
        #expect(view.members == Members(Array(nodes[0...2] + nodes[5...9])))
    }

    @Test("Each one gets the full time: who went missing last goes last")
    func fullTimeForEach() {
        var view = view(of: 10)
        _ = view.read(Array(nodes.dropFirst(6)), now: at(0))
        let empty = view.read([], now: at(9))
        #expect(empty == .readAgain(until: at(10), publish: false))
        let first = view.read([], now: at(10))
        #expect(first == .readAgain(until: at(19), publish: true))
        #expect(view.members == Members(Array(nodes.dropFirst(6))))
        let last = view.read([], now: at(19))
        #expect(last == .publish)
        #expect(view.members.byID.isEmpty)
    }

    @Test("Time without sight of the registry does not count against a missing member")
    func outage() {
        var view = view(of: 4)
        _ = view.read([], now: at(0))
        view.lostSight()
        #expect(view.members == Members(Array(nodes.prefix(4))))
        let back = view.read([], now: at(100))
        #expect(back == .readAgain(until: at(110), publish: false))
    }

    @Test("Who is missing right after an outage gets the full time, even a single one; later ones do not")
    func afterOutage() {
        var view = view(of: 4)
        view.lostSight()
        let first = view.read(Array(nodes[1...3]), now: at(50))
        #expect(first == .readAgain(until: at(60), publish: false))
        let second = view.read(Array(nodes[2...3]), now: at(51))
        #expect(second == .readAgain(until: at(60), publish: true))
        #expect(view.members == Members([nodes[0], nodes[2], nodes[3]]))
        let last = view.read(Array(nodes[2...3]), now: at(60))
        #expect(last == .publish)
    }

    @Test("A node that restarts keeps its place with the new incarnation")
    func newIncarnation() {
        var view = view(of: 1)
        let next = Member.sample("n1", life: 2)
        let action = view.read([next], now: at(0))
        #expect(action == .publish)
        #expect(view.members.contains(next.incarnation))
        #expect(!view.members.contains(nodes[0].incarnation))
    }

    @Test("No sequence of readings loses more than half within the time, whatever the seed", arguments: 0..<200)
    func property(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var view = MemberView(holdBack: .seconds(10))
        var now = start
        var lastSeen: [NodeID: ContinuousClock.Instant] = [:]
        for _ in 0..<50 {
            now = now.advanced(by: .milliseconds(Int.random(in: 0...6000, using: &random)))
            let share = Double.random(in: 0...1, using: &random)
            let found = nodes.filter { _ in Double.random(in: 0...1, using: &random) < share }
            let before = view.members
            _ = view.read(found, now: now)
            let removed = before.byID.keys.filter { view.members.byID[$0] == nil }
            if removed.count * 2 > before.byID.count {
                let early = removed.filter { (lastSeen[$0] ?? start).duration(to: now) < .seconds(10) }
                #expect(early.isEmpty, "seed \(seed)")
            }
            let all = Set(view.members.byID.keys)
            #expect(all.isSuperset(of: found.map(\.id)), "seed \(seed)")
            for member in found { lastSeen[member.id] = now }
        }
    }
}
