/// Which nodes have subscribers of a topic, and what topics keep for those who come back. Both route stores are topic
/// stores; one contract suite in TestKit runs on both.
///
/// What nodes announce is soft state: each repeats it (`TopicPresence`), and whoever meets an incarnation that is gone
/// takes it out. What topics keep is not: an offset is given once.
///
/// Every method throws `routes_unavailable` when the store does not answer in time; nobody knows then whether the write
/// happened.
package protocol TopicStore: Sendable {
    /// A node begins or ceases to have subscribers. One answer per change, in the same order; some may fail. Safe to
    /// repeat. A change of a pattern with wildcards raises the version of `wf:patterns` when it changes anything.
    /// Name each pattern once.
    func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) async -> [Result<Void, WindfireError>]

    /// Begins a publish: keeps the messages in their order, if the topic keeps any, and then, in the same step, finds
    /// the nodes that have announced exactly this topic. So a subscriber that was told that it is subscribed before
    /// this call began is on one of the nodes, or on one of those whose patterns match.
    /// - Parameter history: what the topic keeps; nil keeps nothing and `positions` is empty.
    func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) async throws(WindfireError) -> TopicReach

    /// Every pattern with wildcards that was announced, with the version of the whole.
    func announcedPatterns() async throws(WindfireError) -> (rows: [PatternDirectory.Row], version: UInt64)

    /// Takes incarnations that are gone out of the sets of a topic, or out of `wf:patterns` when it is nil.
    func forget(_ nodes: Set<Incarnation>, in topic: Topic?) async throws(WindfireError)

    /// What a topic keeps behind an offset, one page of it: at most so many messages, and some 256 KiB of data.
    /// - Parameters:
    ///   - offset: nil asks for the head alone; the page has no entries then.
    ///   - history: what the topic keeps: what is older than that is not handed out, even if it was not trimmed yet.
    func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) async throws(WindfireError) -> HistoryPage<TopicMessage>
}

/// A node begins or ceases to have subscribers of a pattern.
package struct TopicPresenceChange: Hashable, Sendable {
    package let pattern: TopicPattern
    package let isPresent: Bool

    package init(_ pattern: TopicPattern, isPresent: Bool) {
        self.pattern = pattern
        self.isPresent = isPresent
    }
}

/// Where a publish goes.
package struct TopicReach: Equatable, Sendable {
    /// Nodes that announced exactly this topic, gone ones included.
    package let nodes: Set<Incarnation>
    /// Of `announcedPatterns`, at the moment of the publish; 0 while nobody ever announced one.
    package let patternsVersion: UInt64
    /// The place of each message in what the topic keeps; empty when it keeps nothing.
    package let positions: [HistoryPosition]

    package init(nodes: Set<Incarnation>, patternsVersion: UInt64, positions: [HistoryPosition]) {
        self.nodes = nodes
        self.patternsVersion = patternsVersion
        self.positions = positions
    }
}
