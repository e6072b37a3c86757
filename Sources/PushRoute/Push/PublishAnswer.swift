import Common
import NodeRPC

/// The body of the answer to a push to topics, or to everyone. With one message the figures stand in the row of its
/// topic; with a `batch` the row has `messages`, and each of them has its figures. Several topics have a row each in
/// `results`.
package enum PublishAnswer {
    package static func json(_ receipt: TopicPush.Receipt) -> [UInt8] {
        var writer = JSONWriter(capacity: 256 * receipt.rows.count * receipt.call.messages.count)
        writer.beginObject()
        writer.key("id")
        writer.string(receipt.id.description)
        switch receipt.call.audience {
        case .topic(let topic):
            writer.key("topic")
            writer.string(topic.text)
            writeRow(receipt.rows[0], of: receipt, to: &writer)
        case .topics(let topics):
            writer.key("results")
            writer.beginArray()
            for (topic, row) in zip(topics, receipt.rows) {
                writer.beginObject()
                writer.key("topic")
                writer.string(topic.text)
                if !receipt.call.isBatch, let message = row.first {
                    writer.key("id")
                    writer.string(message.id.text)
                }
                writeRow(row, of: receipt, to: &writer)
                writer.endObject()
            }
            writer.endArray()
        case .everyone:
            writer.key("everyone")
            writer.boolean(true)
            writeRow(receipt.rows[0], of: receipt, to: &writer)
        }
        writer.endObject()
        return writer.bytes
    }

    /// Into the object that is open.
    private static func writeRow(
        _ row: [TopicPush.Receipt.Message], of receipt: TopicPush.Receipt, to writer: inout JSONWriter
    ) {
        guard receipt.call.isBatch else { return write(row[0].outcome, to: &writer) }
        writer.key("messages")
        writer.beginArray()
        for message in row {
            writer.beginObject()
            writer.key("id")
            writer.string(message.id.text)
            write(message.outcome, to: &writer)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(_ outcome: PublishTicket.Outcome, to writer: inout JSONWriter) {
        let receipt: PublishReceipt
        switch outcome {
        case .success(let value): receipt = value
        case .failure(let error):
            writer.key("error")
            writer.string(error.code.name)
            return
        }
        writer.key("nodes")
        writer.integer(receipt.nodes)
        writer.key("delivered")
        writer.integer(receipt.delivered)
        writer.key("refused")
        writer.integer(receipt.refused)
        writer.key("failed_nodes")
        writer.beginArray()
        for node in receipt.failedNodes {
            writer.beginObject()
            writer.key("node")
            writer.string(node.id.text)
            writer.key("reason")
            writer.string(node.reason)
            writer.endObject()
        }
        writer.endArray()
        if let position = receipt.position {
            writer.key("position")
            writer.string(position.description)
        }
    }
}
