import Common
import PushCore
import Testing

struct TopicIndexTests {
    private let alice = SubscriberSlot(place: 0, generation: 0)
    private let bob = SubscriberSlot(place: 7, generation: 3)

    private func topic(_ text: String) -> Topic { Topic(unchecked: text) }
    private func pattern(_ text: String) -> TopicPattern { TopicPattern(unchecked: text) }

    private func subscribers(_ index: inout TopicIndex, _ topic: String) -> [SubscriberSlot] {
        var found: [SubscriberSlot] = []
        index.forEachSubscriber(of: self.topic(topic)) { found.append($0) }
        return found
    }

    @Test func tellsTheFirstAndTheLastSubscriber() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        for text in ["room/1", "room/+"] {
            #expect(try index.subscribe(alice, to: pattern(text)) == .first)
            #expect(try index.subscribe(alice, to: pattern(text)) == .already)
            #expect(try index.subscribe(bob, to: pattern(text)) == .another)
            #expect(index.subscriberCount(of: pattern(text)) == 2)
            #expect(index.unsubscribe(alice, from: pattern(text)) == .others)
            #expect(index.unsubscribe(alice, from: pattern(text)) == .notSubscribed)
            #expect(index.unsubscribe(bob, from: pattern(text)) == .last)
            #expect(index.unsubscribe(bob, from: pattern(text)) == .notSubscribed)
            #expect(try index.subscribe(bob, to: pattern(text)) == .first)
        }
        #expect(index.patternCount == 2)
        #expect(index.subscriptionCount == 2)
    }

    @Test func aSessionIsVisitedOnceHoweverOftenItMatches() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        for text in ["room/1", "room/+", "room/#", "#"] { _ = try index.subscribe(alice, to: pattern(text)) }
        _ = try index.subscribe(bob, to: pattern("+/1"))
        for _ in 0..<3 {
            #expect(Set(subscribers(&index, "room/1")) == [alice, bob])
            #expect(subscribers(&index, "room/1").count == 2)
            #expect(index.audience(of: topic("room/1")).count == 2)
        }
        #expect(subscribers(&index, "room/2") == [alice])
        #expect(subscribers(&index, "$SYS/1") == [])
        #expect(index.audience(of: topic("$SYS/1")).isEmpty)
    }

    @Test func aSessionThatIsGoneTellsWhatItWasTheLastOf() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        for text in ["a", "b", "c/+"] { _ = try index.subscribe(alice, to: pattern(text)) }
        _ = try index.subscribe(bob, to: pattern("a"))
        #expect(index.patterns(of: alice) == ["c/+", "b", "a"].map { pattern($0) })
        var lost: Set<TopicPattern> = []
        index.removeAll(alice) { lost.insert($0) }
        #expect(lost == [pattern("b"), pattern("c/+")])
        #expect(index.patterns(of: alice) == [])
        #expect(subscribers(&index, "a") == [bob])
        index.removeAll(alice) { _ in Issue.record("there is nothing left to lose") }
        index.removeAll(SubscriberSlot(place: 99, generation: 0)) { _ in Issue.record("it was never here") }
    }

    @Test func whatAPlaceOfASessionHadIsNotItsSuccessors() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        _ = try index.subscribe(alice, to: pattern("a"))
        index.removeAll(alice) { _ in }
        let successor = SubscriberSlot(place: alice.place, generation: alice.generation + 1)
        #expect(index.patterns(of: successor) == [])
        #expect(try index.subscribe(successor, to: pattern("b")) == .first)
        #expect(subscribers(&index, "a") == [])
        #expect(subscribers(&index, "b") == [successor])
    }

    @Test func aSessionHasAtMostSoManySubscriptions() throws {
        var index = TopicIndex(patternsPerSessionMax: 2)
        _ = try index.subscribe(alice, to: pattern("a"))
        _ = try index.subscribe(alice, to: pattern("b/+"))
        let error = WindfireError(.tooManyTopics, "a session has at most 2 subscriptions")
        #expect(throws: error) { try index.subscribe(alice, to: pattern("c")) }
        #expect(throws: error) { try index.subscribe(alice, to: pattern("#")) }
        #expect(try index.subscribe(alice, to: pattern("a")) == .already, "what it has it keeps")
        #expect(index.patternCount == 2, "nothing was begun for what was refused")
        #expect(try index.subscribe(bob, to: pattern("c")) == .first, "nobody else is affected")
        #expect(index.unsubscribe(alice, from: pattern("a")) == .last)
        #expect(try index.subscribe(alice, to: pattern("c")) == .another)
    }

    /// A fan-out goes through its audience in slices, while the index goes on.
    @Test func anAudienceIsThatOfItsMoment() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        let slots = (0..<1_000).map { SubscriberSlot(place: $0, generation: 0) }
        for slot in slots { _ = try index.subscribe(slot, to: pattern("room")) }
        let audience = index.audience(of: topic("room"))
        for slot in slots.prefix(999) { index.removeAll(slot) { _ in } }
        _ = try index.subscribe(SubscriberSlot(place: 0, generation: 1), to: pattern("room"))
        #expect(Array(audience) == slots)
        #expect(Array(index.audience(of: topic("room"))) == [slots[999], SubscriberSlot(place: 0, generation: 1)])
    }

    @Test func patternsAreCounted() throws {
        var index = TopicIndex(patternsPerSessionMax: 8)
        _ = try index.subscribe(alice, to: pattern("a"))
        _ = try index.subscribe(bob, to: pattern("a"))
        _ = try index.subscribe(bob, to: pattern("b/#"))
        _ = try index.subscribe(bob, to: pattern("c"))
        _ = index.unsubscribe(bob, from: pattern("c"))
        var counts: [TopicPattern: Int] = [:]
        index.forEachPattern { counts[$0] = $1 }
        #expect(counts == [pattern("a"): 2, pattern("b/#"): 1])
    }

    /// The bound of DESIGN, with the slack of a grown array.
    @Test func aSubscriptionIsSmall() {
        #expect(TopicIndex.bytesPerSubscription * 2 <= 64)
    }
}
