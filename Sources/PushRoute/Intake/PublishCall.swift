import Common

/// What a call of `POST /v1/push` publishes to topics, or to everyone: all of it but the `dedupe_key`.
package struct PublishCall: Equatable, Sendable {
    package enum Audience: Equatable, Sendable {
        /// One, by `to.topic`.
        case topic(Topic)
        /// By `to.topics`: each once, in the order of first appearance, also when there is only one.
        case topics([Topic])
        /// Sessions a second at most, over all nodes.
        case everyone(perSecondMax: Int?)
    }

    package let audience: Audience
    /// One JSON value each, at least one.
    package let messages: [[UInt8]]
    /// They came as `batch`, and the answer has a row for each.
    package let isBatch: Bool

    package init(audience: Audience, messages: [[UInt8]], isBatch: Bool = false) {
        self.audience = audience
        self.messages = messages
        self.isBatch = isBatch
    }

    /// Every topic with every message counts: towards the pace of a key, too.
    package var publishCount: Int {
        if case .topics(let topics) = audience { topics.count * messages.count } else { messages.count }
    }
}
