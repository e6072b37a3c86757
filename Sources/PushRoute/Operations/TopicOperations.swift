import Common
import NodeRPC

/// What operators ask about one topic: every node says how many subscribers it has, those by wildcards included, and
/// the store what the topic keeps.
package struct TopicOperations: Sendable {
    /// Nodes asked at the same time.
    private static let nodesAtOnce = 64

    let registry: any Registry
    let store: any TopicStore
    let nodes: any NodeCaller
    let rules: TopicRules

    package init(registry: any Registry, store: any TopicStore, nodes: any NodeCaller, rules: TopicRules) {
        self.registry = registry
        self.store = store
        self.nodes = nodes
        self.rules = rules
    }

    /// - Throws: `registry_unavailable`; `routes_unavailable` when the topic keeps something and the store is away.
    package func report(on topic: Topic) async throws(WindfireError) -> TopicReport {
        let members = registry.members(.push)
        guard members.isKnown else {
            throw WindfireError(
                .registryUnavailable, "the list of push servers was not read yet", retryAfter: .seconds(1))
        }
        let list = members.sorted
        let answers = await list.concurrentMap(atOnce: Self.nodesAtOnce) {
            [nodes] member -> Result<TopicFigures, WindfireError> in
            do throws(WindfireError) { return .success(try await nodes.figures(of: topic, on: member)) } catch {
                return .failure(error)
            }
        }
        var asked: [TopicReport.Node] = []
        var failed: [TopicReport.FailedNode] = []
        for (member, answer) in zip(list, answers) {
            switch answer {
            case .success(let figures) where figures.subscribers > 0:
                asked.append(TopicReport.Node(id: member.id, subscribers: Int(figures.subscribers)))
            case .success: break
            case .failure(let error):
                failed.append(TopicReport.FailedNode(node: member.id, reason: error.code.name))
            }
        }
        return TopicReport(
            topic: topic.text, subscribers: asked.reduce(0) { $0 + $1.subscribers }, nodes: asked,
            failedNodes: failed, history: try await history(of: topic))
    }

    private func history(of topic: Topic) async throws(WindfireError) -> TopicReport.History? {
        guard let rule = rules.rule(for: topic)?.history else { return nil }
        let page = try await store.history(of: topic, after: nil, countMax: 1, keeping: rule)
        return TopicReport.History(
            messages: page.head >= page.first ? page.head - page.first + 1 : 0,
            position: HistoryPosition(epoch: page.epoch, offset: page.head).description, countMax: rule.countMax,
            ageSeconds: rule.ageMax.components.seconds)
    }
}

/// `GET /v1/topics/{topic}`.
package struct TopicReport: Encodable, Equatable, Sendable {
    package let topic: String
    /// Of the nodes that answered: sessions that a publish would reach now.
    package let subscribers: Int
    /// Those that have any.
    package let nodes: [Node]
    /// Those that could not be asked.
    package let failedNodes: [FailedNode]
    /// Written as null when the topic keeps nothing.
    package let history: History?

    package struct Node: Encodable, Equatable, Sendable {
        package let id: NodeID
        package let subscribers: Int
    }

    package struct FailedNode: Encodable, Equatable, Sendable {
        package let node: NodeID
        package let reason: String
    }

    package struct History: Encodable, Equatable, Sendable {
        /// That are kept now.
        package let messages: UInt64
        /// Of the last message; `0-…` before the first.
        package let position: String
        package let countMax: Int
        package let ageSeconds: Int64

        enum CodingKeys: String, CodingKey {
            case messages, position
            case countMax = "count_max"
            case ageSeconds = "age_s"
        }
    }

    enum CodingKeys: String, CodingKey {
        case topic, subscribers, nodes
        case failedNodes = "failed_nodes"
        case history
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(topic, forKey: .topic)
        try container.encode(subscribers, forKey: .subscribers)
        try container.encode(nodes, forKey: .nodes)
        try container.encode(failedNodes, forKey: .failedNodes)
        // Said, not left out: that nothing is kept is an answer.
        try container.encode(history, forKey: .history)
    }
}
