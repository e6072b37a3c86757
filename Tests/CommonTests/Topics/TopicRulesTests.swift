import Common
import Testing

struct TopicRulesTests {
    @Test func theFirstThatMatchesHolds() throws {
        let quiet = TopicRule(try TopicPattern("room/staff"))
        let merged = TopicRule(try TopicPattern("room/+"), merge: try .init(window: .milliseconds(100)))
        let kept = TopicRule(try TopicPattern("#"), history: try .init(countMax: 10))
        let rules = try TopicRules([quiet, merged, kept])
        #expect(try rules.rule(for: Topic("room/staff")) == quiet)
        #expect(try rules.rule(for: Topic("room/1")) == merged)
        #expect(try rules.rule(for: Topic("price/1")) == kept)
        #expect(try rules.rule(for: Topic("$SYS/load")) == nil)
        #expect(try TopicRules.none.rule(for: Topic("room/1")) == nil)
    }

    @Test func whatIsNotGivenIsTheDefault() throws {
        let history = try TopicRule.History(ageMax: .seconds(60))
        #expect(history.countMax == TopicRule.History.countDefault)
        #expect(try TopicRule.History(countMax: 5).ageMax == TopicRule.History.ageDefault)
    }

    @Test(arguments: [0, 100_001, -1, Int.min])
    func refusesAHistoryOf(_ count: Int) {
        #expect(
            throws: WindfireError(.configurationInvalid, "history count is \(count), must be 1 to 100000")
        ) { try TopicRule.History(countMax: count) }
    }

    @Test func refusesValuesOutOfTheirRange() {
        #expect(
            throws: WindfireError(.configurationInvalid, "history age is 0s, must be 1s to 7d")
        ) { try TopicRule.History(ageMax: .zero) }
        #expect(
            throws: WindfireError(.configurationInvalid, "merge window is 9ms, must be 10ms to 10s")
        ) { try TopicRule.Merge(window: .milliseconds(9)) }
        #expect(throws: WindfireError(.configurationInvalid, "merge messages is 0, must be 1 to 1000")) {
            try TopicRule.Merge(window: .seconds(1), messagesMax: 0)
        }
        #expect(throws: WindfireError(.configurationInvalid, "merge bytes is 1023, must be 1024 to 1048576")) {
            try TopicRule.Merge(window: .seconds(1), bytesMax: 1_023)
        }
    }

    @Test func refusesARuleThatNoTopicReaches() throws {
        let rules = [TopicRule(try TopicPattern("room/#")), TopicRule(try TopicPattern("room/+"))]
        #expect(
            throws: WindfireError(
                .configurationInvalid, "the topic rule room/+ is never reached: room/# stands before it")
        ) { try TopicRules(rules) }
        #expect(try TopicRules(rules.reversed()).rules.count == 2)
    }

    @Test func refusesTooMany() throws {
        let rules = try (0...TopicRules.countMax).map { TopicRule(try TopicPattern("t/\($0)")) }
        #expect(try TopicRules(rules.dropLast()).rules.count == 256)
        #expect(throws: WindfireError(.configurationInvalid, "there are at most 256 topic rules")) {
            try TopicRules(rules)
        }
    }
}

struct HistoryPositionTests {
    @Test(arguments: [
        (HistoryPosition(epoch: 1, offset: 0), "0-0000000000000001"),
        (HistoryPosition(epoch: .max, offset: .max), "18446744073709551615-ffffffffffffffff"),
        (HistoryPosition(epoch: 0x0006_4400_1234_5678, offset: 42), "42-0006440012345678"),
    ])
    func isWrittenAndReadBack(_ position: HistoryPosition, _ text: String) throws {
        #expect(position.description == text)
        #expect(try HistoryPosition(text) == position)
    }

    @Test(arguments: [
        "", "-", "5", "5-", "-0000000000000001", "5-1", "5-00000000000000001", "5-000000000000000g",
        "+5-0000000000000001", "18446744073709551616-0000000000000001",
        "5-0000000000000001-", " 5-0000000000000001", "٥-0000000000000001", "5-+00000000000001",
        String(repeating: "9", count: 10_000),
    ])
    func refuses(_ text: String) {
        #expect(
            throws: WindfireError(.invalidRequest, "since is not a position that a message of the topic had")
        ) { try HistoryPosition(text) }
    }
}
