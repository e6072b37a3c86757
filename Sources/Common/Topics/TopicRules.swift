// What topics keep and how they merge, by pattern. Both those who publish (history) and those who deliver (merging)
// go by them.

/// What holds for the topics of one pattern.
package struct TopicRule: Equatable, Sendable {
    /// How much of a topic is kept for those who come back.
    package struct History: Equatable, Sendable {
        package static let countRange = 1...100_000
        package static let ageRange: ClosedRange<Duration> = .seconds(1) ... .seconds(7 * 24 * 3_600)
        /// Without a count: a page of chat for everyone who was in a tunnel, and 256 MiB at the very most.
        package static let countDefault = 1_000
        /// Without an age: longer than a reconnect takes on a bad day.
        package static let ageDefault: Duration = .seconds(3_600)

        /// Messages; the oldest give way.
        package let countMax: Int
        /// Older ones are gone.
        package let ageMax: Duration

        /// Both bounds hold, whichever comes first. What is not given is the default.
        /// - Throws: `configuration_invalid` naming the field.
        package init(countMax: Int? = nil, ageMax: Duration? = nil) throws(WindfireError) {
            self.countMax = try checked(countMax ?? Self.countDefault, Self.countRange, "history count")
            self.ageMax = try checked(ageMax ?? Self.ageDefault, Self.ageRange, "history age")
        }
    }

    /// What arrives within a window leaves as one batch, encoded once for all.
    package struct Merge: Equatable, Sendable {
        /// What is left out of a window that has no room.
        package enum Policy: String, Sendable, CaseIterable {
            /// The oldest: for prices and places, where the newest counts.
            case keepLatest = "keep-latest"
            /// Any, with equal chances: for the remarks of a crowd, where the mixture counts.
            case sample
        }

        package static let windowRange: ClosedRange<Duration> = .milliseconds(10) ... .seconds(10)
        package static let messagesRange = 1...1_000
        package static let bytesRange = 1 << 10...1 << 20

        package let window: Duration
        /// Messages of one batch.
        package let messagesMax: Int
        /// Bytes of data in one batch, unless a single message has more.
        package let bytesMax: Int
        package let policy: Policy

        /// - Throws: `configuration_invalid` naming the field.
        package init(
            window: Duration, messagesMax: Int = 100, bytesMax: Int = 256 << 10, policy: Policy = .keepLatest
        ) throws(WindfireError) {
            self.window = try checked(window, Self.windowRange, "merge window")
            self.messagesMax = try checked(messagesMax, Self.messagesRange, "merge messages")
            self.bytesMax = try checked(bytesMax, Self.bytesRange, "merge bytes")
            self.policy = policy
        }
    }

    package let pattern: TopicPattern
    package let history: History?
    package let merge: Merge?

    package init(_ pattern: TopicPattern, history: History? = nil, merge: Merge? = nil) {
        self.pattern = pattern
        self.history = history
        self.merge = merge
    }
}

/// The rules in their order: the first that matches a topic holds for it, and a topic without one keeps nothing and
/// merges nothing.
package struct TopicRules: Equatable, Sendable {
    package static let countMax = 256
    package static let none = TopicRules()

    package let rules: [TopicRule]

    /// Whether any rule merges: who delivers need not look otherwise.
    package let mergesAny: Bool

    private init() { (rules, mergesAny) = ([], false) }

    /// - Throws: `configuration_invalid` for too many rules, and for a rule that no topic reaches because an earlier
    /// one
    ///   takes all of its topics.
    package init(_ rules: [TopicRule]) throws(WindfireError) {
        guard rules.count <= Self.countMax else {
            throw WindfireError(.configurationInvalid, "there are at most \(Self.countMax) topic rules")
        }
        for (index, rule) in rules.enumerated() {
            guard let earlier = rules[..<index].first(where: { $0.pattern.contains(rule.pattern) }) else { continue }
            throw WindfireError(
                .configurationInvalid,
                "the topic rule \(rule.pattern) is never reached: \(earlier.pattern) stands before it")
        }
        self.rules = rules
        mergesAny = rules.contains { $0.merge != nil }
    }

    /// Looks at the rules one after the other, some 50 ns each: who publishes often to a topic keeps the answer.
    package func rule(for topic: Topic) -> TopicRule? { rules.first { $0.pattern.matches(topic) } }
}

private func checked(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws(WindfireError) -> Int {
    guard range.contains(value) else {
        throw outOfRange(name, "\(value)", "\(range.lowerBound)", "\(range.upperBound)")
    }
    return value
}

private func checked(
    _ value: Duration, _ range: ClosedRange<Duration>, _ name: String
) throws(WindfireError) -> Duration {
    guard range.contains(value) else {
        let text = DurationText.text(of:)
        throw outOfRange(name, text(value), text(range.lowerBound), text(range.upperBound))
    }
    return value
}

private func outOfRange(_ name: String, _ value: String, _ least: String, _ most: String) -> WindfireError {
    WindfireError(.configurationInvalid, "\(name) is \(value), must be \(least) to \(most)")
}
