import Common
import NIOCore
import PushCore
import TestKit
import Testing

/// Random stories of a topic's store, its live flow and one subscriber that comes back: pages are read at one time and
/// answered at another, live messages come before and after the pages that have them, the history is trimmed, and
/// wiped.
struct HistoryJoinModelTests {
    @Test(arguments: 0..<300)
    func nothingIsMissedAndNothingComesTwice(_ run: UInt64) {
        var random = SplitMix(seed: 0x4157_0000 + run)
        var world = World(&random)
        for _ in 0..<200 { world.happen(&random, trims: false, wipes: false) }
        world.calmDown()
        #expect(world.device == world.everythingSince(world.since), "seed \(0x4157_0000 + run)")
        #expect(world.missed == 0)
    }

    /// What was sent and what was told as missed is everything.
    @Test(arguments: 0..<300)
    func whatWasTrimmedIsCounted(_ run: UInt64) {
        var random = SplitMix(seed: 0x4158_0000 + run)
        var world = World(&random, readsMax: 6)
        for _ in 0..<200 { world.happen(&random, trims: true, wipes: false) }
        world.calmDown()
        let everything = world.everythingSince(world.since)
        #expect(world.device == world.device.sorted(), "seed \(0x4158_0000 + run)")
        #expect(Set(world.device).count == world.device.count)
        #expect(Set(world.device).isSubset(of: everything))
        #expect(world.device.count + Int(world.missed) == everything.count)
    }

    /// The old counting ends; of the new one, everything comes, in order and once.
    @Test(arguments: 0..<300)
    func aWipedStoreBeginsAnew(_ run: UInt64) {
        var random = SplitMix(seed: 0x4159_0000 + run)
        var world = World(&random)
        for _ in 0..<200 { world.happen(&random, trims: false, wipes: true) }
        world.calmDown()
        #expect(world.device == world.device.sorted(), "seed \(0x4159_0000 + run)")
        #expect(Set(world.device).count == world.device.count)
        #expect(world.device.filter { $0.epoch == world.epoch } == world.newest())
    }
}

/// A message names itself.
private struct Name: Hashable, Comparable {
    let epoch: UInt64
    let offset: UInt64
    static func < (left: Name, right: Name) -> Bool { (left.epoch, left.offset) < (right.epoch, right.offset) }
    var position: HistoryPosition { HistoryPosition(epoch: epoch, offset: offset) }
}

private struct World {
    private let now = NIODeadline.uptimeNanoseconds(1)
    private let pageSize: UInt64
    let since: UInt64
    private(set) var epoch: UInt64 = 3
    private var head: UInt64
    private var first: UInt64 = 1
    private var join: HistoryJoin<Name>
    /// Asked for, not read; read, not answered.
    private var asked: HistoryPosition?
    private var read: HistoryPage<Name>?
    /// Stored and on their way to the node, in their order.
    private var live: [Name] = []
    private(set) var device: [Name] = []
    private(set) var missed: UInt64 = 0

    init(_ random: inout SplitMix, readsMax: Int = 10_000) {
        pageSize = .random(in: 1...4, using: &random)
        head = .random(in: 0...12, using: &random)
        since = .random(in: 0...head, using: &random)
        // Some of what is stored is still on its way.
        let late = UInt64.random(in: 0...head, using: &random)
        live = (late + 1..<max(head, late) + 1).map { Name(epoch: 3, offset: $0) }
        var rules = HistoryJoin<Name>.Rules()
        rules.heldMax = .random(in: 1...5, using: &random)
        rules.readsMax = readsMax
        let position = HistoryPosition(epoch: 3, offset: since)
        join = HistoryJoin(since: position, rules: rules)
        asked = position
    }

    func everythingSince(_ offset: UInt64) -> [Name] {
        (offset + 1..<max(head, offset) + 1).map { Name(epoch: epoch, offset: $0) }
    }

    /// Of the last counting: from its beginning, or from `since` if it never ended.
    func newest() -> [Name] { everythingSince(epoch == 3 ? since : 0) }

    mutating func happen(_ random: inout SplitMix, trims: Bool, wipes: Bool) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            head += 1
            live.append(Name(epoch: epoch, offset: head))
        case 2, 3, 4: deliverNext()
        case 5, 6: readPage()
        case 7, 8: answer()
        default:
            if trims, first <= head { first = .random(in: first...head + 1, using: &random) }
            if wipes, Int.random(in: 0..<8, using: &random) == 0 { (epoch, head, first) = (epoch + 1, 0, 1) }
        }
    }

    /// Nothing new is published, and everything arrives.
    mutating func calmDown() {
        for _ in 0..<2_000 {
            deliverNext()
            readPage()
            answer()
        }
        #expect(!join.isReading)
        #expect(live.isEmpty)
    }

    private mutating func deliverNext() {
        guard !live.isEmpty else { return }
        let message = live.removeFirst()
        switch join.live(message, at: message.position) {
        case .send: device.append(message)
        case .held: #expect(join.isReading)
        case .duplicate: break
        }
    }

    private mutating func readPage() {
        guard let after = asked else { return }
        asked = nil
        // The store is asked for offsets of its present counting, whatever the asker's was.
        let start = max(after.offset &+ 1, first)
        let end = min(head, start &+ pageSize &- 1)
        let entries = start <= end ? (start...end).map { Name(epoch: epoch, offset: $0) } : []
        read = HistoryPage(
            epoch: epoch, first: first, head: head, entries: entries.map { .init(offset: $0.offset, element: $0) },
            isMore: (entries.last?.offset ?? head) < head)
    }

    private mutating func answer() {
        guard let page = read else { return }
        read = nil
        let step = join.received(page, now: now)
        missed += step.gap?.missed ?? 0
        device += step.send
        asked = step.read
        #expect((asked != nil) == join.isReading)
    }
}
