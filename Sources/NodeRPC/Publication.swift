import Common

/// One message for the subscribers that a node has of a topic, or for all of its sessions.
package struct Publication: Hashable, Sendable {
    package enum Audience: Hashable, Sendable {
        case topic(Topic)
        /// Every session of the node, at most so many in a second.
        case everyone(perSecondMax: UInt32?)
    }

    package var audience: Audience
    package var message: TopicMessage
    /// Its place in what the topic keeps, if it keeps anything.
    package var position: HistoryPosition?
    /// 32 hex digits, W3C Trace Context; empty when the caller has none.
    package var traceID: String

    package init(
        to audience: Audience, _ message: TopicMessage, at position: HistoryPosition? = nil, traceID: String = ""
    ) {
        self.audience = audience
        self.message = message
        self.position = position
        self.traceID = traceID
    }
}

/// What one publisher sends to one node in one call.
package struct PublishBatch: Hashable, Sendable {
    package static let publicationsMax = 512
    /// Of all data, unless a single message has more; with what stands around it well below gRPC's 4 MiB.
    package static let bytesMax = 1 << 20

    /// The publisher's connection with this node, a number it draws when it begins.
    package let link: UInt64
    /// Counts the calls of the link from 1, so that calls that overtake one another are put right.
    package let number: UInt64
    package let publications: [Publication]

    package init(link: UInt64, number: UInt64, publications: [Publication]) {
        self.link = link
        self.number = number
        self.publications = publications
    }
}

/// What became of one publication on one node.
package struct PublishOutcome: Hashable, Sendable {
    /// Sessions that it was handed to. One that is merged with others, or paced, counts those it is for.
    package var delivered: UInt32
    /// Sessions whose outbox is full.
    package var refused: UInt32

    package init(delivered: UInt32, refused: UInt32 = 0) {
        self.delivered = delivered
        self.refused = refused
    }

    package static let none = PublishOutcome(delivered: 0)
}

/// What a node knows of one topic.
package struct TopicFigures: Hashable, Sendable {
    /// Sessions that a publish would reach now, those by wildcards included.
    package var subscribers: UInt32

    package init(subscribers: UInt32) { self.subscribers = subscribers }
}
