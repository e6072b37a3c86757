// `topics.…`: what topics keep and how they merge, by pattern.

package struct TopicKeys: ConfigurationKeySection {
    package let rules = ConfigurationKey(
        "topics.rules", .list(of: .topicRuleText), default: "", usedBy: [.pushServer, .pushRoute],
        "What topics keep and how they merge; the first rule whose pattern matches holds. The same in all processes.")
}

extension ValueForm where Value == String {
    /// Any text here: `Configuration.topicRules` reads it and says what is wrong with it.
    static let topicRuleText = ValueForm(
        type: "topic rule",
        allowed: "a pattern and options behind it: `history=COUNT`, `age=DURATION`, `merge=DURATION`, "
            + "`messages=COUNT`, `bytes=SIZE`, `policy=keep-latest` or `policy=sample`"
    ) { $0.isEmpty ? nil : $0 }
}

extension Configuration {
    /// `topics.rules`, read.
    /// - Throws: `configuration_invalid` naming the rule, the option, and what is allowed.
    package func topicRules() throws(WindfireError) -> TopicRules {
        var rules: [TopicRule] = []
        for text in self.topics.rules { rules.append(try TopicRule(configured: text)) }
        return try TopicRules(rules)
    }
}

extension TopicRule {
    private static let options = ["history", "age", "merge", "messages", "bytes", "policy"]

    /// Reads `room/# history=100 age=1h`, `danmaku/+ merge=100ms messages=100 policy=sample`, or a pattern alone,
    /// whose topics then keep nothing and merge nothing although a later rule matches them.
    ///
    /// `history` and `age` bound each other, and either of them alone takes the other's default. The pattern ends
    /// before the first word with a `=`, and has no comma, which separates rules.
    /// - Throws: `configuration_invalid`.
    package init(configured text: String) throws(WindfireError) {
        let words = text.split(separator: " ")
        let first = words.dropFirst().firstIndex { $0.contains("=") } ?? words.endIndex
        var options: [String: String] = [:]
        for word in words[first...] {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, Self.options.contains(parts[0]) else {
                throw Self.invalid(
                    text, "`\(word)` is no option; there are \(Self.options.joined(separator: ", ")), each with =")
            }
            guard options.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw Self.invalid(text, "\(parts[0]) is given twice")
            }
        }
        do throws(WindfireError) {
            self.init(
                try TopicPattern(words[..<first].joined(separator: " ")), history: try Self.history(options),
                merge: try Self.merge(options))
        } catch {
            throw Self.invalid(text, error.message)
        }
    }

    private static func history(_ options: [String: String]) throws(WindfireError) -> History? {
        guard options["history"] != nil || options["age"] != nil else { return nil }
        return try History(
            countMax: try value("history", of: options, "a whole number") { Int($0) },
            ageMax: try value("age", of: options, "a duration such as 30s or 1h", DurationText.duration(of:)))
    }

    private static func merge(_ options: [String: String]) throws(WindfireError) -> Merge? {
        let window = try value("merge", of: options, "a duration such as 100ms", DurationText.duration(of:))
        guard let window else {
            guard let stray = ["messages", "bytes", "policy"].first(where: { options[$0] != nil }) else { return nil }
            throw WindfireError(.configurationInvalid, "\(stray) goes with merge")
        }
        let messages = try value("messages", of: options, "a whole number") { Int($0) }
        let bytes = try value("bytes", of: options, "a size such as 64KiB", ByteText.bytes(of:))
        let names = Merge.Policy.allCases.map(\.rawValue).joined(separator: " or ")
        let policy = try value("policy", of: options, names) { Merge.Policy(rawValue: $0) }
        return try Merge(
            window: window, messagesMax: messages ?? 100, bytesMax: bytes ?? 256 << 10, policy: policy ?? .keepLatest)
    }

    private static func value<Value>(
        _ name: String, of options: [String: String], _ allowed: String, _ parse: (String) -> Value?
    ) throws(WindfireError) -> Value? {
        guard let text = options[name] else { return nil }
        guard let value = parse(text) else {
            throw WindfireError(.configurationInvalid, "\(name) is `\(text.prefix(64))`, must be \(allowed)")
        }
        return value
    }

    private static func invalid(_ text: String, _ message: String) -> WindfireError {
        WindfireError(.configurationInvalid, "`\(text.prefix(200))`: \(message)")
    }
}
