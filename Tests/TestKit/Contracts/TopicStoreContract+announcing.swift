import Common
import Testing

extension TopicStoreContract {
    static let announcing: [TopicStoreContract] = [
        TopicStoreContract("a publish finds the nodes that announced the topic, however often they did") {
            harness, cast in
            let (store, other) = (try await harness.makeTopicStore(), try await harness.makeTopicStore())
            let topic = cast.topic("room/1")
            let (one, two) = (cast.node("n1"), cast.node("n2"))
            #expect(try await store.nodes(of: topic).isEmpty)
            try await store.leave(TopicPattern(topic), as: one)
            for _ in 0..<3 { try await store.join(TopicPattern(topic), as: one) }
            #expect(try await other.nodes(of: topic) == [one])
            try await other.join(TopicPattern(topic), as: two)
            #expect(try await store.nodes(of: topic) == [one, two])
            // Another life of a node is another node.
            try await store.leave(TopicPattern(topic), as: cast.node("n1", life: 2))
            #expect(try await store.nodes(of: topic) == [one, two])
            for _ in 0..<2 { try await store.leave(TopicPattern(topic), as: one) }
            #expect(try await other.nodes(of: topic) == [two])
            #expect(try await other.nodes(of: cast.topic("room")).isEmpty)
        },

        TopicStoreContract("many changes in one call have an answer each, in their order") { harness, cast in
            let store = try await harness.makeTopicStore()
            let node = cast.node("n1")
            let joins = (0..<2_500).map { number in
                let name = number.isMultiple(of: 5) ? "a/\(number)/+" : "a/\(number)"
                return TopicPresenceChange(cast.pattern(name), isPresent: true)
            }
            try await store.change(joins, of: node)
            #expect(try await cast.rows(store).count == 500)
            #expect(try await store.nodes(of: cast.topic("a/2499")) == [node])
            // Every other one leaves.
            try await store.change(
                joins.enumerated().map { TopicPresenceChange($1.pattern, isPresent: $0.isMultiple(of: 2)) }, of: node)
            #expect(try await cast.rows(store).count == 250)
            for number in [1, 2, 3, 4, 2_498, 2_499] {
                let nodes = try await store.nodes(of: cast.topic("a/\(number)"))
                #expect(nodes == (number.isMultiple(of: 2) ? [node] : []), "\(number)")
            }
            #expect(await store.announce([], of: node).isEmpty)
            _ = try await store.forget([node], in: nil)
        },

        TopicStoreContract("nodes that are gone are taken out of a topic, and others stay") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, other) = (cast.topic("a"), cast.topic("b"))
            let nodes = (0..<4).map { cast.node("n\($0)") }
            for node in nodes { try await store.join(TopicPattern(topic), TopicPattern(other), as: node) }
            try await store.forget([nodes[0], nodes[2], cast.node("never")], in: topic)
            #expect(try await store.nodes(of: topic) == [nodes[1], nodes[3]])
            #expect(try await store.nodes(of: other) == Set(nodes))
            try await store.forget([], in: topic)
            try await store.forget(Set(nodes), in: topic)
            #expect(try await store.nodes(of: topic).isEmpty)
        },

        TopicStoreContract("topics are told apart byte for byte, whatever stands in them") { harness, cast in
            let store = try await harness.makeTopicStore()
            let history = try keeping()
            let names = [
                "caf\u{E9}", "cafe\u{301}", "a b", " ", "/", "", "{", "}", "{}", "}{", "{x}", "{0001}", "a|b",
                "|\u{301}",
                "\"", "'", "\\", "\\n", "*", "?", "[a]", "$SYS", "😀", "🇩🇪/🇦🇹", "%s", "topic:history",
            ]
            let topics = names.map { cast.topic($0) }
            #expect(Set(topics).count == names.count)
            for (index, topic) in topics.enumerated() {
                try await store.join(TopicPattern(topic), as: cast.node("n\(index)"))
                try await store.put(index..<index + 1, to: topic, history)
            }
            for (index, topic) in topics.enumerated() {
                let nodes = try await store.nodes(of: topic)
                #expect(nodes == [cast.node("n\(index)")], "\(names[index])")
                #expect(try await store.page(of: topic, history).numbers == [index], "\(names[index])")
            }
            // And so are patterns.
            let rows = Set(
                names.map { PatternDirectory.Row(pattern: cast.pattern("\($0)/+"), node: cast.node("n")) })
            #expect(rows.count == names.count)
            for row in rows { try await store.join(row.pattern, as: row.node) }
            #expect(try await cast.rows(store) == rows)
            try await store.forget([cast.node("n")], in: nil)
        },
    ]

    static let patterns: [TopicStoreContract] = [
        TopicStoreContract("patterns with wildcards stand in the directory, topics do not") { harness, cast in
            let (store, other) = (try await harness.makeTopicStore(), try await harness.makeTopicStore())
            let (one, two) = (cast.node("n1"), cast.node("n2"))
            let (plus, hash) = (cast.pattern("+/chat"), cast.pattern("room/#"))
            try await store.join(plus, TopicPattern(cast.topic("room/chat")), hash, as: one)
            try await other.join(plus, as: two)
            let row = PatternDirectory.Row.init(pattern:node:)
            #expect(try await cast.rows(other) == [row(plus, one), row(hash, one), row(plus, two)])
            #expect(try await other.nodes(of: cast.topic("room/chat")) == [one])
            #expect(try await other.nodes(of: cast.topic("other/chat")).isEmpty)
            try await store.leave(plus, as: one)
            #expect(try await cast.rows(store) == [row(hash, one), row(plus, two)])
            try await store.join(plus, as: one)
            try await store.forget([one, cast.node("never")], in: nil)
            #expect(try await cast.rows(store) == [row(plus, two)])
            // The topics of those that are gone are not touched: publishers take them out where they meet them.
            #expect(try await other.nodes(of: cast.topic("room/chat")) == [one])
            try await store.forget([two], in: nil)
            #expect(try await cast.rows(store).isEmpty)
        },

        TopicStoreContract("the version rises with each change of the patterns, and with nothing else") {
            harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, pattern, node) = (cast.topic("a/b"), cast.pattern("a/+"), cast.node("n1"))
            let history = try keeping()
            var last = try await store.patternsVersion()
            func rises(_ what: String, _ isExpected: Bool, _ body: () async throws -> Void) async throws {
                try await body()
                let version = try await store.patternsVersion()
                #expect(isExpected ? version > last : version == last, "\(what)")
                // Every publisher is told the same.
                #expect(try await store.publish([], to: topic, keeping: nil).patternsVersion == version)
                #expect(try await store.publish([], to: topic, keeping: history).patternsVersion == version)
                let kept = try await store.publish([topicMessage(1)], to: topic, keeping: history)
                #expect(kept.patternsVersion == version, "\(what)")
                last = version
            }
            try await rises("leaving without having been there", false) { try await store.leave(pattern, as: node) }
            try await rises("joining", true) { try await store.join(pattern, as: node) }
            try await rises("joining again", false) { try await store.join(pattern, as: node) }
            try await rises("a topic", false) { try await store.join(TopicPattern(topic), as: node) }
            try await rises("another node", true) { try await store.join(pattern, as: cast.node("n2")) }
            try await rises("forgetting strangers", false) { try await store.forget([cast.node("x")], in: nil) }
            try await rises("forgetting in a topic", false) { try await store.forget([node], in: topic) }
            try await rises("forgetting", true) { try await store.forget([cast.node("n2")], in: nil) }
            try await rises("leaving", true) { try await store.leave(pattern, as: node) }
            try await rises("leaving again", false) { try await store.leave(pattern, as: node) }
        },

        TopicStoreContract("the version goes on rising across a wiped store") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, node) = (cast.topic("a"), cast.node("n1"))
            for number in 0..<20 { try await store.join(cast.pattern("\(number)/#"), as: node) }
            try await store.join(TopicPattern(topic), as: node)
            let before = try await store.patternsVersion()
            try await harness.wipe([topic])
            try await harness.letPass(.milliseconds(2))

            let wiped = try await harness.makeTopicStore()
            let empty = try await wiped.announcedPatterns()
            #expect(empty.rows.isEmpty && empty.version == 0)
            let reach = try await wiped.publish([topicMessage(1)], to: topic, keeping: nil)
            #expect(reach == TopicReach(nodes: [], patternsVersion: 0, positions: []))
            try await wiped.join(cast.pattern("+"), as: node)
            #expect(try await wiped.patternsVersion() > before)
            try await wiped.forget([node], in: nil)
        },
    ]
}
