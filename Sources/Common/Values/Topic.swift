/// What a publish names: 1–256 bytes of UTF-8, `/` between levels, no control characters. `+` and `#` are for
/// subscriptions alone (`TopicPattern`). A level may be empty: `/a` and `a//b` are topics of two and three levels, as
/// in
/// MQTT 5.0, section 4.7.1.1.
///
/// Topics are compared byte for byte (MQTT 5.0, section 4.7.3; Redis does the same), not as Swift compares text: an `é`
/// of one code point and one of two are different topics.
package struct Topic: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let bytesMax = 256

    package let text: String

    /// For text that was checked before, such as what our own store returns.
    package init(unchecked text: String) { self.text = text }

    /// - Throws: `invalid_topic` with the rule that was broken, never with the offending bytes.
    package init(_ text: String) throws(WindfireError) {
        try TopicText.check(text, called: "topic")
        guard !text.utf8.contains(where: TopicText.isWildcard) else {
            throw WindfireError(.invalidTopic, "a topic has no + and no #; they are for subscriptions")
        }
        self.text = text
    }

    package var description: String { text }

    /// Whether a wildcard at the first level passes it by: `$…` is for the system's own topics (MQTT 5.0, section
    /// 4.7.2). Whoever wants them names the level.
    package var isReserved: Bool { text.utf8.first == UInt8(ascii: "$") }

    package var levels: TopicLevels { TopicLevels(of: text) }

    package static func == (left: Topic, right: Topic) -> Bool { TopicText.areSame(left.text, right.text) }

    package func hash(into hasher: inout Hasher) { TopicText.hash(text, into: &hasher) }

    package static func < (left: Topic, right: Topic) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// The levels of a topic or pattern, one after the other, without making an array of them. A topic has at least one.
package struct TopicLevels: Sequence, IteratorProtocol, Sendable {
    /// Nil when all were handed out.
    private var rest: Substring?

    init(of text: String) { rest = text[...] }

    package mutating func next() -> Substring? {
        guard let text = rest else { return nil }
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            rest = nil
            return text
        }
        rest = text[text.utf8.index(after: slash)...]
        return text[..<slash]
    }
}
