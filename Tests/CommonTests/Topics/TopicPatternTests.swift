import Common
import TestKit
import Testing

struct TopicPatternTests {
    /// The examples of MQTT 5.0, sections 4.7.1.2, 4.7.1.3 and 4.7.2.
    @Test(arguments: [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/tennis/player1/#", "sport/tennis/player2", false),
        ("sport/#", "sport", true),
        ("#", "sport/tennis", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/monitor", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/monitor/Clients", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("a/$b/+", "a/$b/c", true),
        ("a/+", "a/$b", true),
    ])
    func matches(_ pattern: String, _ topic: String, _ expected: Bool) throws {
        #expect(try TopicPattern(pattern).matches(Topic(topic)) == expected)
        #expect(NaiveTopics.matches(pattern, topic) == expected, "the naive model agrees with the standard")
    }

    @Test(arguments: [
        ("room/+", "room/1", true),
        ("room/+", "room/+", true),
        ("room/+", "room/#", false),
        ("room/+", "room", false),
        ("room/+", "#", false),
        ("room/#", "room", true),
        ("room/#", "room/+/chat", true),
        ("room/#", "room/#", true),
        ("room/#", "#", false),
        ("room/#", "+/1", false),
        ("room/1", "room/+", false),
        ("#", "+/#", true),
        ("+/#", "#", true),
        ("+/+/#", "#", false),
        ("a/+/#", "a/#", false),
        ("#", "$SYS/#", false),
        ("+/+", "$SYS/+", false),
        ("$SYS/+", "$SYS/load", true),
    ])
    func contains(_ pattern: String, _ other: String, _ expected: Bool) throws {
        #expect(try TopicPattern(pattern).contains(TopicPattern(other)) == expected)
    }

    /// Every pattern of up to three levels against every topic of up to four, by the naive model.
    @Test func matchingIsThatOfTheModel() throws {
        let topics = NaiveTopics.texts(of: ["a", "b", "", "$s"], depth: 4)
        for text in NaiveTopics.patterns(of: ["a", "", "$s"], depth: 3) {
            let pattern = try TopicPattern(text)
            let wrong = try topics.filter { topic in
                try pattern.matches(Topic(topic)) != NaiveTopics.matches(text, topic)
            }
            #expect(wrong.isEmpty, "\(text)")
        }
    }

    /// What containment means, counted out: there are names (b, $t) and levels (the fourth) that no pattern has, so
    /// that what only happens to be covered here is not taken for contained.
    @Test func containmentIsThatOfEveryTopic() throws {
        let topics = NaiveTopics.texts(of: ["a", "b", "$s", "$t"], depth: 4)
        let patterns = try NaiveTopics.patterns(of: ["a", "$s"], depth: 3).map { text in
            (
                pattern: try TopicPattern(text),
                topics: Set(topics.indices.filter { NaiveTopics.matches(text, topics[$0]) })
            )
        }
        var containedCount = 0
        for one in patterns {
            for other in patterns {
                let isContained = other.topics.isSubset(of: one.topics)
                if isContained { containedCount += 1 }
                #expect(one.pattern.contains(other.pattern) == isContained, "\(one.pattern) and \(other.pattern)")
            }
        }
        #expect(containedCount > patterns.count, "more than each itself")
    }
}
