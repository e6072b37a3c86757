/// What a subscription or a permission names: a topic, or several by wildcards (MQTT 5.0, section 4.7.1). `+` stands
/// for one whole level, `#` for any number of levels, none included, and only at the end: `room/#` matches `room`,
/// `room/1` and `room/1/chat`. A wildcard at the first level passes `$…` by (`Topic.isReserved`).
package struct TopicPattern: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Levels of a pattern with wildcards: each may cost a node of a tree, and one a publish to look at. Topics need no
    /// such bound: they are looked up whole.
    package static let levelsMax = 16

    package let text: String
    /// Without wildcards it is a topic.
    package let isWildcard: Bool

    /// For text that was checked before.
    package init(unchecked text: String) {
        self.text = text
        isWildcard = text.utf8.contains(where: TopicText.isWildcard)
    }

    package init(_ topic: Topic) {
        text = topic.text
        isWildcard = false
    }

    /// - Throws: `invalid_topic` with the rule that was broken, never with the offending bytes.
    package init(_ text: String) throws(WindfireError) {
        try TopicText.check(text, called: "topic pattern")
        self.init(unchecked: text)
        guard isWildcard else { return }
        var count = 0
        var isEnded = false
        for level in levels {
            count += 1
            guard !isEnded else { throw WindfireError(.invalidTopic, "# is the last level of a topic pattern") }
            guard !level.utf8.contains(where: TopicText.isWildcard) || level.utf8.count == 1 else {
                throw WindfireError(.invalidTopic, "+ and # are whole levels of a topic pattern")
            }
            isEnded = level == "#"
        }
        guard count <= Self.levelsMax else {
            throw WindfireError(.invalidTopic, "a topic pattern with wildcards has at most \(Self.levelsMax) levels")
        }
    }

    package var description: String { text }

    /// Nil when it has wildcards.
    package var topic: Topic? { isWildcard ? nil : Topic(unchecked: text) }

    package var levels: TopicLevels { TopicLevels(of: text) }

    package func matches(_ topic: Topic) -> Bool {
        guard isWildcard else { return TopicText.areSame(text, topic.text) }
        var given = topic.levels
        // At the first level a wildcard sees only what is not reserved.
        var isHidden = topic.isReserved
        for level in levels {
            if level == "#" { return !isHidden }
            guard let named = given.next() else { return false }
            guard level == "+" ? !isHidden : TopicText.areSame(level, named) else { return false }
            isHidden = false
        }
        return given.next() == nil
    }

    /// Whether it matches every topic that the other one matches. So `room/+` contains `room/1` and `room/+`, but
    /// neither `room/#` nor `room`. Exact for one pattern against one; several patterns together may cover one that
    /// none of them contains.
    package func contains(_ other: TopicPattern) -> Bool {
        guard other.isWildcard else { return matches(Topic(unchecked: other.text)) }
        guard isWildcard else { return false }
        var asked = other.levels
        var isFirst = true
        var mine = levels.makeIterator()
        while let level = mine.next() {
            // A named first level that is reserved is not seen by my wildcards, any other is.
            let isHidden = isFirst && other.text.utf8.first == UInt8(ascii: "$")
            if level == "#" { return !isHidden }
            guard let wanted = asked.next() else { return false }
            if wanted == "#" {
                // Any number of levels from here on. Topics have at least one, so `+/#` is as wide as `#`.
                return isFirst && level == "+" && mine.next() == "#"
            }
            guard level == "+" ? !isHidden : TopicText.areSame(level, wanted) else { return false }
            isFirst = false
        }
        return asked.next() == nil
    }

    package static func == (left: TopicPattern, right: TopicPattern) -> Bool {
        TopicText.areSame(left.text, right.text)
    }

    package func hash(into hasher: inout Hasher) { TopicText.hash(text, into: &hasher) }

    package static func < (left: TopicPattern, right: TopicPattern) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
