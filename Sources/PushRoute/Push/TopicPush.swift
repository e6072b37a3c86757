import Common
import NodeRPC

/// Carries out a push to topics, or to everyone: every message to every topic, all of it on its way before the first
/// answer is waited for.
///
/// A message has an id for each topic: nodes know by it what they had already, and to them these are different
/// publishes. The first one has the id of the push.
package struct TopicPush: Sendable {
    package struct Receipt: Sendable {
        package struct Message: Sendable {
            package let id: MessageID
            package let outcome: PublishTicket.Outcome
        }

        package let id: UUIDv7
        package let call: PublishCall
        /// By topic, in the order of the call, and then by message; one row when it was for everyone.
        package let rows: [[Message]]
    }

    let publisher: TopicPublisher

    package init(publisher: TopicPublisher) { self.publisher = publisher }

    /// - Throws: when nothing was sent, or nothing could be looked up: the first failure.
    package func push(
        _ call: PublishCall, as id: UUIDv7, traceID: String
    ) async throws(WindfireError) -> Receipt {
        let topics: [Topic]? =
            switch call.audience {
            case .topic(let topic): [topic]
            case .topics(let topics): topics
            case .everyone: nil
            }
        var isFirst = true
        let messages = (topics ?? [Topic(unchecked: "")]).map { _ in
            call.messages.map { data in
                defer { isFirst = false }
                return TopicMessage(
                    id: MessageID(unchecked: (isFirst ? id : .new()).description),
                    timestampMilliseconds: id.unixMilliseconds, data: data)
            }
        }
        let tickets: [PublishTicket]
        if case .everyone(let rate) = call.audience {
            tickets = try publisher.submitEveryone(messages[0], perSecondMax: rate, traceID: traceID)
        } else {
            tickets = try publisher.submit(
                zip(topics ?? [], messages).flatMap { topic, messages in
                    messages.map { TopicPublisher.Publish($0, to: topic, traceID: traceID) }
                })
        }
        var outcomes: [PublishTicket.Outcome] = []
        for ticket in tickets { outcomes.append(await ticket.outcome) }
        try Self.refuseIfNothingWasFound(outcomes)
        let rows = messages.enumerated().map { row, messages in
            messages.enumerated().map { place, message in
                Receipt.Message(id: message.id, outcome: outcomes[row * call.messages.count + place])
            }
        }
        return Receipt(id: id, call: call, rows: rows)
    }

    private static func refuseIfNothingWasFound(_ outcomes: [PublishTicket.Outcome]) throws(WindfireError) {
        var first: WindfireError?
        for outcome in outcomes {
            guard case .failure(let error) = outcome else { return }
            first = first ?? error
        }
        if let first { throw first }
    }
}
