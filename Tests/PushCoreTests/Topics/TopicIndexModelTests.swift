import Common
import PushCore
import TestKit
import Testing

/// The index against a list of who has which pattern: sessions come and go, subscribe and leave, with topics and with
/// wildcards, and every publish is compared.
struct TopicIndexModelTests {
    @Test func tenThousandRandomOperationsAreThoseOfTheModel() throws {
        var random = SplitMix.printed()
        var world = World()
        for _ in 0..<10_000 {
            try world.happen(&random)
            // What went wrong first is what is to be read.
            if world.isWrong { break }
        }
        #expect(world.isWrong == false)
        #expect(world.publishCount > 1_000)
        #expect(world.deliveryCount > 1_000, "the topics had subscribers")
        world.end()
    }
}

private struct World: ~Copyable {
    private let topics = NaiveTopics.texts(of: ["a", "b", "", "$s"], depth: 3)
    private let patterns =
        NaiveTopics.patterns(of: ["a", "b", "$s"], depth: 3) + NaiveTopics.texts(of: ["a", "b", ""], depth: 3)
    private let sessionsMax = 40
    private let patternsMax = 6

    private var slots = SlotTable<Int>(countMax: 64)
    private var index = TopicIndex(patternsPerSessionMax: 6)
    private var model: [SubscriberSlot: Set<String>] = [:]
    private var matching: [String: Set<String>] = [:]
    private var audiences: [(kept: TopicAudience, then: [SubscriberSlot])] = []
    private var nextSession = 0
    private(set) var publishCount = 0
    private(set) var deliveryCount = 0
    private(set) var isWrong = false

    private mutating func expect(_ isTrue: Bool, _ what: String) {
        if !isTrue { isWrong = true }
        #expect(isTrue, "\(what)")
    }

    private func subscribers(of pattern: String) -> Int { model.values.count { $0.contains(pattern) } }

    mutating func happen(_ random: inout SplitMix) throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1: connect()
        case 2: disconnect(&random)
        case 3..<9: try subscribe(&random)
        case 9..<13: unsubscribe(&random)
        default: publish(&random)
        }
    }

    private mutating func connect() {
        guard model.count < sessionsMax, let slot = slots.insert(nextSession) else { return }
        nextSession += 1
        expect(model[slot] == nil, "a slot is one session's at a time")
        model[slot] = []
    }

    private mutating func disconnect(_ random: inout SplitMix) {
        guard let slot = model.keys.sorted().randomElement(using: &random) else { return }
        let had = model.removeValue(forKey: slot) ?? []
        var lost: [String] = []
        index.removeAll(slot) { lost.append($0.text) }
        expect(lost.sorted() == had.filter { subscribers(of: $0) == 0 }.sorted(), "what it was the last of")
        slots.remove(slot)
    }

    private mutating func subscribe(_ random: inout SplitMix) throws {
        guard let slot = model.keys.sorted().randomElement(using: &random) else { return connect() }
        let pattern = patterns[Int.random(in: patterns.indices, using: &random)]
        let had = model[slot] ?? []
        let expected: TopicIndex.Subscribed =
            had.contains(pattern) ? .already : subscribers(of: pattern) == 0 ? .first : .another
        do {
            let answer = try index.subscribe(slot, to: TopicPattern(pattern))
            expect(answer == expected, "\(slot.place) subscribes to \(pattern)")
            model[slot, default: []].insert(pattern)
        } catch {
            expect(error.code == .tooManyTopics && had.count == patternsMax, "refused at the bound alone")
        }
    }

    private mutating func unsubscribe(_ random: inout SplitMix) {
        guard let slot = model.keys.sorted().randomElement(using: &random) else { return }
        let isOwn = Int.random(in: 0..<4, using: &random) > 0
        let own = model[slot, default: []].sorted().randomElement(using: &random)
        let pattern = isOwn ? own ?? "a" : patterns[Int.random(in: patterns.indices, using: &random)]
        let wasThere = model[slot]?.remove(pattern) != nil
        let expected: TopicIndex.Unsubscribed =
            !wasThere ? .notSubscribed : subscribers(of: pattern) == 0 ? .last : .others
        expect(
            index.unsubscribe(slot, from: TopicPattern(unchecked: pattern)) == expected,
            "\(slot.place) leaves \(pattern)")
    }

    private mutating func publish(_ random: inout SplitMix) {
        let topic = topics[Int.random(in: topics.indices, using: &random)]
        let patterns = matching[topic] ?? Set(patterns.filter { NaiveTopics.matches($0, topic) })
        matching[topic] = patterns
        let expected = model.filter { !$0.value.isDisjoint(with: patterns) }.keys.sorted()
        var visited: [SubscriberSlot] = []
        index.forEachSubscriber(of: Topic(unchecked: topic)) { visited.append($0) }
        expect(visited.sorted() == expected, "who gets \(topic)")
        let audience = index.audience(of: Topic(unchecked: topic))
        expect(audience.sorted() == expected, "the audience of \(topic)")
        publishCount += 1
        deliveryCount += visited.count
        // Some fan-outs take their time: what they go through does not change meanwhile.
        audiences.append((audience, Array(audience)))
        if audiences.count > 20 {
            let (kept, then) = audiences.removeFirst()
            expect(Array(kept) == then, "an audience is that of its moment")
        }
        let total = model.values.reduce(0) { $0 + $1.count }
        expect(index.subscriptionCount == total, "the count of subscriptions")
    }

    /// Everybody goes; nothing is left behind.
    mutating func end() {
        for slot in model.keys { index.removeAll(slot) { _ in } }
        #expect(index.subscriptionCount == 0)
        #expect(index.patternCount == 0)
        for topic in topics { #expect(index.audience(of: Topic(unchecked: topic)).isEmpty) }
    }
}

extension SubscriberSlot {
    fileprivate var key: (Int, UInt8) { (place, generation) }
}

extension Sequence<SubscriberSlot> {
    fileprivate func sorted() -> [SubscriberSlot] { sorted { $0.key < $1.key } }
}
