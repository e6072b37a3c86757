import Common
import NIOCore

// What goes into and comes out of `TopicPresence`.

extension TopicPresence {
    package enum Action: Hashable, Sendable {
        /// Announce this node; announcing it twice is the same as once.
        case join(TopicPattern)
        case leave(TopicPattern)
    }

    package struct Rules: Sendable {
        /// From the last subscriber to leaving the set.
        package var linger: TimeAmount = .seconds(5)
        /// After a failed call; doubles up to 32 times that.
        package var retryDelay: TimeAmount = .milliseconds(500)
        /// How often a membership is announced again: between this and one and a half times this, by topic.
        package var reassert: TimeAmount = .seconds(30)
        /// Calls on their way to the store at once.
        package var inFlightMax = 1_024
        /// `Limits.wildcardsPerNodeMax`.
        package var wildcardsMax = 1_000

        package init() {}
    }

    /// Whether publishes reach the node already.
    package enum Standing: Equatable, Sendable {
        case member
        /// The answer to the subscriber waits for `finished` to tell, or goes without while the store is away.
        case joining
    }
}
