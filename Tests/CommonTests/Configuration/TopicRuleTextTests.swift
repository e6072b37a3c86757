import TestKit
import Testing

@testable import Common

/// `topics.rules`, as it is written.
@Suite struct TopicRuleTextTests {
    private func rules(_ text: String) throws -> [TopicRule] {
        try Configuration.resolve(flags: ["--topics-rules", text]).topicRules().rules
    }

    @Test func nothingIsKeptAndNothingMergedUnlessSaid() throws {
        #expect(try Configuration.resolve(flags: []).topicRules() == .none)
        #expect(try rules("") == [])
    }

    @Test func aListOfRulesInTheirOrder() throws {
        let rules = try rules(
            "room/1, room/# history=100 age=1h, danmaku/+ merge=100ms messages=50 bytes=64KiB policy=sample")
        #expect(
            try rules == [
                TopicRule(TopicPattern("room/1")),
                TopicRule(TopicPattern("room/#"), history: .init(countMax: 100, ageMax: .seconds(3_600))),
                TopicRule(
                    TopicPattern("danmaku/+"),
                    merge: .init(
                        window: .milliseconds(100), messagesMax: 50, bytesMax: 64 << 10, policy: .sample)),
            ])
    }

    @Test func whatIsLeftOutIsTheDefault() throws {
        #expect(
            try rules("a age=30s,b history=5,c merge=1s,d history=1 merge=10ms") == [
                TopicRule(TopicPattern("a"), history: .init(ageMax: .seconds(30))),
                TopicRule(TopicPattern("b"), history: .init(countMax: 5)),
                TopicRule(TopicPattern("c"), merge: .init(window: .seconds(1))),
                TopicRule(
                    TopicPattern("d"), history: .init(countMax: 1), merge: .init(window: .milliseconds(10))),
            ])
    }

    @Test func aPatternMayHaveSpacesAndAFileAList() throws {
        let folder = try TemporaryFolder("rules")
        let path = folder.path("windfire.yaml")
        try """
        topics:
          rules:
            - two words/# history=3
            - "# merge=20ms"
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let configuration = try Configuration.load(flags: ["--config", path])
        #expect(try configuration.topicRules().rules.map(\.pattern.text) == ["two words/#", "#"])
    }

    private static let options = "there are history, age, merge, messages, bytes, policy, each with ="

    @Test(arguments: [
        ("a hist=5", "`a hist=5`: `hist=5` is no option; \(options)"),
        ("a history=5 b", "`a history=5 b`: `b` is no option; \(options)"),
        ("a history=5 history=6", "`a history=5 history=6`: history is given twice"),
        ("a history=many", "`a history=many`: history is `many`, must be a whole number"),
        ("a history=0", "`a history=0`: history count is 0, must be 1 to 100000"),
        ("a age=8d", "`a age=8d`: history age is 8d, must be 1s to 7d"),
        ("a age=1", "`a age=1`: age is `1`, must be a duration such as 30s or 1h"),
        ("a merge=1ms", "`a merge=1ms`: merge window is 1ms, must be 10ms to 10s"),
        ("a messages=5", "`a messages=5`: messages goes with merge"),
        ("a merge=1s policy=any", "`a merge=1s policy=any`: policy is `any`, must be keep-latest or sample"),
        ("a/#/b history=1", "`a/#/b history=1`: # is the last level of a topic pattern"),
        ("room/#,room/1 history=1", "the topic rule room/1 is never reached: room/# stands before it"),
    ])
    func whatDoesNotFitNamesTheKeyTheValueAndWhatIsAllowed(_ text: String, _ message: String) throws {
        let configuration = try Configuration.resolve(flags: ["--topics-rules", text])
        #expect(throws: WindfireError(.configurationInvalid, message)) { try configuration.topicRules() }
        let problems = configuration.problems(for: .dev)
        #expect(problems.map(\.description) == ["topics.rules (flag): \(message)"])
        #expect(configuration.problems(for: .auth).allSatisfy { $0.name != "topics.rules" })
    }
}
