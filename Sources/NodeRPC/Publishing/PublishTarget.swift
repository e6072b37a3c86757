import Common

/// To whom a message is published. The order of messages is kept for each of them.
package enum PublishTarget: Hashable, Sendable {
    case topic(Topic)
    case everyone

    var topic: Topic? {
        if case .topic(let topic) = self { topic } else { nil }
    }
}

/// A message that was submitted, and who wants to know what becomes of it.
struct PendingPublish<Ticket: Sendable>: Sendable {
    let target: PublishTarget
    let message: TopicMessage
    /// For everyone: sessions a second, over all nodes.
    var perSecondMax: Int?
    var traceID = ""
    let ticket: Ticket

    /// What it takes of the bounds.
    var cost: Int { PublishCost.bytes(of: message) }
}

/// What a message that was not settled yet counts in `Limits.publishBytesMax`.
enum PublishCost {
    /// The records around the data, in the lane, at the links and with who waits: so that messages without data cannot
    /// be many without end.
    static let overheadBytes = 256

    static func bytes(of message: TopicMessage) -> Int { message.data.count + overheadBytes }
}
