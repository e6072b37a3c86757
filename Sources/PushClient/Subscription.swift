extension PushClient {
    /// A topic, or a pattern of topics, that this client wants to hear.
    public struct Subscription: Hashable, Sendable {
        public let topic: String
        /// Whether the server has said yes on the present connection.
        public let isStanding: Bool
        /// Where the topic's history is for this client: everything up to here was put into `messages`, or counted in
        /// `missed`. An application that keeps it, once it has dealt with those messages, and hands it to `subscribe`
        /// when it runs again, hears what was published in between. Nil for patterns, and for topics that keep nothing.
        public let position: String?
        /// Messages that were published, and that nobody can have any more, since the subscription was made.
        public let missed: Int
        /// Messages that the topic's rule for busy rooms left out of batches.
        public let leftOut: Int
        /// The server's name for why it will not have it, such as `forbidden`; nil unless it was refused for good.
        public let refusal: String?
    }

    /// What happens to subscriptions beside messages.
    public enum TopicNotice: Hashable, Sendable {
        /// The server has said yes; with each connection anew.
        case subscribed(topic: String)
        /// So many messages cannot be had any more. `reason` is the server's word: `trimmed`, `other-epoch`, …
        case gap(topic: String, missed: Int, reason: String)
        /// For good: the subscription is not said again by itself.
        case refused(topic: String, code: String, message: String)
    }
}
