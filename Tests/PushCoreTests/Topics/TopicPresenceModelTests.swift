import Common
import NIOCore
import PushCore
import TestKit
import Testing

/// Random stories of shards and a store: subscribers come and go, calls fail, and of the failed ones half are done all
/// the same. In the end the store has exactly the topics that have subscribers.
struct TopicPresenceModelTests {
    @Test(arguments: 0..<50)
    func inTheEndTheStoreHasWhatHasSubscribers(_ run: UInt64) throws {
        var random = SplitMix(seed: 0x70B1_0000 + run)
        var world = World()
        for _ in 0..<600 { try world.happen(&random) }
        world.calmDown()
        #expect(world.store == world.wanted, "seed \(0x70B1_0000 + run)")
        #expect(world.isQuiet, "nothing but what has subscribers is kept")
    }
}

private struct World {
    private let patterns = ["a", "b", "c/+", "#", "d"].map { TopicPattern(unchecked: $0) }
    private var presence = TopicPresence(now: .uptimeNanoseconds(1))
    private var now = NIODeadline.uptimeNanoseconds(1)
    /// By pattern: shards with subscribers.
    private var shards: [TopicPattern: Int] = [:]
    private var calls: [TopicPresence.Action] = []
    private(set) var store: Set<TopicPattern> = []

    var wanted: Set<TopicPattern> { Set(shards.filter { $0.value > 0 }.keys) }
    var isQuiet: Bool { presence.count == wanted.count }

    mutating func happen(_ random: inout SplitMix) throws {
        let pattern = patterns[Int.random(in: patterns.indices, using: &random)]
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            if shards[pattern, default: 0] < 3 {
                shards[pattern, default: 0] += 1
                let isMember = try presence.gained(pattern, now: now) == .member
                #expect(!isMember || store.contains(pattern), "nobody is told that he is heard when he is not")
            }
        case 2, 3:
            if shards[pattern, default: 0] > 0 {
                shards[pattern, default: 0] -= 1
                presence.lost(pattern, now: now)
            }
        case 4, 5:
            guard let index = calls.indices.randomElement(using: &random) else { break }
            let isAnswered = Bool.random(using: &random)
            finish(at: index, isDone: isAnswered || Bool.random(using: &random), isAnswered: isAnswered)
        case 6: now = now + .milliseconds(.random(in: 0...3_000, using: &random))
        default: now = now + .milliseconds(.random(in: 0...60_000, using: &random))
        }
        act()
    }

    mutating func calmDown() {
        for _ in 0..<2_000 {
            while !calls.isEmpty { finish(at: 0, isDone: true, isAnswered: true) }
            now = now + .milliseconds(250)
            act()
        }
        while !calls.isEmpty { finish(at: 0, isDone: true, isAnswered: true) }
    }

    private mutating func act() {
        for action in presence.actions(now: now) {
            let isUnderWay = calls.contains { $0.pattern == action.pattern }
            #expect(!isUnderWay, "one call at a time for each pattern")
            calls.append(action)
            switch action {
            case .join(let pattern): #expect(wanted.contains(pattern))
            case .leave(let pattern): #expect(!wanted.contains(pattern))
            }
        }
    }

    private mutating func finish(at index: Int, isDone: Bool, isAnswered: Bool) {
        let action = calls.remove(at: index)
        if isDone {
            switch action {
            case .join(let pattern): store.insert(pattern)
            case .leave(let pattern): store.remove(pattern)
            }
        }
        let hasBecomeMember = presence.finished(action, succeeded: isAnswered, now: now)
        #expect(!hasBecomeMember || store.contains(action.pattern))
    }
}

extension TopicPresence.Action {
    fileprivate var pattern: TopicPattern {
        switch self {
        case .join(let pattern), .leave(let pattern): pattern
        }
    }
}
