import Common

@testable import PushRoute

/// What a `ScriptedRouteStore` answers about topics, and what it was asked.
struct TopicScript {
    var nodes: [Topic: Set<Incarnation>] = [:]
    /// Topics whose look-ups fail.
    var failures: [Topic: WindfireError] = [:]
    var published: [(topic: Topic, ids: [String])] = []
    /// Of all topics that keep anything.
    var head: UInt64 = 0
}

extension ScriptedRouteStore: TopicStore {
    func script(topics change: @Sendable (inout TopicScript) -> Void) { change(&topics) }

    func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) async throws(WindfireError) -> TopicReach {
        try check()
        topics.published.append((topic, messages.map(\.id.text)))
        if let failure = topics.failures[topic] { throw failure }
        var positions: [HistoryPosition] = []
        if history != nil {
            for _ in messages {
                topics.head += 1
                positions.append(HistoryPosition(epoch: 0xE, offset: topics.head))
            }
        }
        return TopicReach(nodes: topics.nodes[topic] ?? [], patternsVersion: 0, positions: positions)
    }

    func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) async throws(WindfireError) -> HistoryPage<TopicMessage> {
        try check()
        return HistoryPage(epoch: 0xE, first: 3, head: topics.head, entries: [], isMore: false)
    }

    // Not asked by this role in these tests.
    func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) async -> [Result<Void, WindfireError>] { changes.map { _ in .success(()) } }
    func announcedPatterns() async throws(WindfireError) -> (rows: [PatternDirectory.Row], version: UInt64) { ([], 0) }
    func forget(_ nodes: Set<Incarnation>, in topic: Topic?) async throws(WindfireError) {}
}
