/// What a publisher has done since its start, for metrics; and what it is doing.
package struct PublisherFigures: Equatable, Sendable {
    /// Messages whose receipt names no failure.
    package var published = 0
    /// Messages that reached nobody because it could not be found out where they go.
    package var failed = 0
    /// Messages that at least one node has failed, or that only the own node got.
    package var incomplete = 0
    /// Messages that were not taken because too much was on its way.
    package var refused = 0
    /// Sessions that messages were handed to.
    package var delivered = 0
    package var lookups = 0
    package var patternReadings = 0
    /// Calls of nodes, the failed ones included.
    package var calls = 0
    package var failedCalls = 0
    /// Messages that are on their way now, and what they take of `Limits.publishBytesMax`.
    package var waiting = 0
    package var waitingBytes = 0

    package init() {}

    mutating func count(_ outcome: PublishTicket.Outcome) {
        switch outcome {
        case .failure: failed += 1
        case .success(let receipt):
            delivered += receipt.delivered
            if receipt.failedNodes.isEmpty, receipt.lookupFailure == nil { published += 1 } else { incomplete += 1 }
        }
    }
}
