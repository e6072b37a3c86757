/// The answer of `POST /v1/push` to topics or everyone.
struct TopicReceipt: Decodable {
    struct FailedNode: Decodable {
        let node: String
        let reason: String
    }

    /// The figures of one message. They stand in the answer itself when there is one topic, else in its rows.
    struct Row: Decodable {
        let topic: String?
        let nodes: Int?
        let delivered: Int?
        let refused: Int?
        let failed_nodes: [FailedNode]?
        let position: String?
        /// Why nobody was asked.
        let error: String?
    }

    let id: String
    let rows: [Row]

    private enum CodingKeys: CodingKey {
        case id, results
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        rows = try fields.decodeIfPresent([Row].self, forKey: .results) ?? [try Row(from: decoder)]
    }

    /// For people: a line for each topic, then the nodes that failed.
    var text: String {
        var counts = TextTable("topic", "nodes", "delivered", "refused", "position")
        var failed = TextTable("topic", "node", "reason")
        for row in rows {
            let topic = row.topic ?? "everyone"
            counts.add(
                topic, row.nodes.map(String.init) ?? "-", row.delivered.map(String.init) ?? "-",
                row.refused.map(String.init) ?? "-", row.position ?? "")
            for node in row.failed_nodes ?? [] { failed.add(topic, node.node, node.reason) }
            if let error = row.error { failed.add(topic, "-", error) }
        }
        return (["push \(id)", counts.text] + (failed.isEmpty ? [] : ["\n" + failed.text])).joined(separator: "\n")
    }
}
