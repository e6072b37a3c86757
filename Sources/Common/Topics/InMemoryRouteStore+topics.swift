// Topics of the store in memory: `TopicTable` under the actor's clock. Nothing here fails.

extension InMemoryRouteStore: TopicStore {
    package func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) -> [Result<Void, WindfireError>] {
        topics.announce(changes, of: node, now: now())
        return changes.map { _ in .success(()) }
    }

    package func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) -> TopicReach {
        topics.publish(messages, to: topic, keeping: history, now: now())
    }

    package func announcedPatterns() -> (rows: [PatternDirectory.Row], version: UInt64) {
        (topics.patterns, topics.version)
    }

    package func forget(_ nodes: Set<Incarnation>, in topic: Topic?) {
        topics.forget(nodes, in: topic, now: now())
    }

    package func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) -> HistoryPage<TopicMessage> {
        topics.history(of: topic, after: offset, countMax: countMax, keeping: history, now: now())
    }
}
