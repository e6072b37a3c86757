/// What a subscriber that comes back has missed for good.
package struct HistoryGap: Hashable, Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        /// It is older than what is kept.
        case trimmed
        /// The history was begun anew: what was missed of the old one is not known.
        case otherEpoch = "other-epoch"
        /// `since` was never given: the store came back older than it was, or somebody made the number up.
        case fromTheFuture = "from-the-future"
        /// Messages come faster than they can be read.
        case tooFast = "too-fast"
        /// The store does not have what came live: it was set back.
        case storeIsOlder = "store-is-older"
    }

    package let reason: Reason
    /// Messages: exact but for `otherEpoch`, where it is the least, and `fromTheFuture`, where it is 0.
    package let missed: UInt64

    package init(reason: Reason, missed: UInt64) {
        self.reason = reason
        self.missed = missed
    }
}
