import Common
import Testing

struct TopicTests {
    @Test(arguments: [
        "a", "room/1", "/", "/a", "a//b", "räume/1", "$SYS/load", "a b|c", String(repeating: "x", count: 256),
    ])
    func takes(_ text: String) throws {
        #expect(try Topic(text).text == text)
        #expect(try TopicPattern(text).topic == Topic(text))
    }

    @Test(arguments: [
        ("", "a topic is not empty"),
        (String(repeating: "x", count: 257), "a topic has at most 256 bytes"),
        (String(repeating: "ä", count: 129), "a topic has at most 256 bytes"),
        ("a\u{0}b", "a topic has no control characters"),
        ("a\nb", "a topic has no control characters"),
        ("a\u{7F}", "a topic has no control characters"),
        ("a\u{85}", "a topic has no control characters"),
        ("room/+", "a topic has no + and no #; they are for subscriptions"),
        ("room/#", "a topic has no + and no #; they are for subscriptions"),
        ("c++", "a topic has no + and no #; they are for subscriptions"),
    ])
    func refuses(_ text: String, _ why: String) {
        #expect(throws: WindfireError(.invalidTopic, why)) { try Topic(text) }
    }

    @Test(arguments: [
        "+", "#", "room/+", "room/#", "+/+/#", "/+", "+/", "room/+/chat", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/#",
    ])
    func takesPattern(_ text: String) throws {
        let pattern = try TopicPattern(text)
        #expect(pattern.text == text)
        #expect(pattern.isWildcard)
        #expect(pattern.topic == nil)
    }

    @Test(arguments: [
        ("", "a topic pattern is not empty"),
        ("a\u{1}/+", "a topic pattern has no control characters"),
        (String(repeating: "+/", count: 128) + "+", "a topic pattern has at most 256 bytes"),
        ("room+", "+ and # are whole levels of a topic pattern"),
        ("room/+1", "+ and # are whole levels of a topic pattern"),
        ("room/1#", "+ and # are whole levels of a topic pattern"),
        ("++", "+ and # are whole levels of a topic pattern"),
        ("+#", "+ and # are whole levels of a topic pattern"),
        ("#/a", "# is the last level of a topic pattern"),
        ("a/#/", "# is the last level of a topic pattern"),
        ("#/#", "# is the last level of a topic pattern"),
        (
            String(repeating: "a/", count: 16) + "+",
            "a topic pattern with wildcards has at most 16 levels"
        ),
    ])
    func refusesPattern(_ text: String, _ why: String) {
        #expect(throws: WindfireError(.invalidTopic, why)) { try TopicPattern(text) }
    }

    /// Without wildcards it is looked up whole: any number of levels will do.
    @Test func aTopicMayBeDeep() throws {
        let deep = String(repeating: "/", count: 256)
        #expect(try TopicPattern(deep).matches(Topic(deep)))
    }

    /// Swift takes the two for the same text; Redis and MQTT do not.
    @Test func topicsAreComparedByTheirBytes() throws {
        let (one, two) = (try Topic("caf\u{E9}"), try Topic("cafe\u{301}"))
        #expect(one.text == two.text)
        #expect(one != two)
        #expect(Set([one, two]).count == 2)
        #expect(try !TopicPattern(one.text).matches(two))
        #expect(try !TopicPattern("+/" + one.text).matches(Topic("a/" + two.text)))
        #expect(try !TopicPattern("+/" + one.text).contains(TopicPattern("+/" + two.text)))
    }

    @Test func levelsComeInTheirOrder() throws {
        #expect(try Array(Topic("room//1/").levels) == ["room", "", "1", ""])
        #expect(try Array(Topic("a").levels) == ["a"])
    }
}
