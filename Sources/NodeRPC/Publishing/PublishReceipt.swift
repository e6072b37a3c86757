import Common

/// What became of one published message.
package struct PublishReceipt: Equatable, Sendable {
    /// A node that was asked and did not say that it handed the message over: what became of it there is unknown.
    package struct FailedNode: Hashable, Sendable {
        package let id: NodeID
        /// The name of a failure: `node_unavailable`, `not_found` when it is another life by now, `overloaded` when too
        /// much waits for it already.
        package let reason: String

        package init(id: NodeID, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    /// Nodes that were asked; 0 when nobody is subscribed.
    package var nodes = 0
    /// Sessions that it was handed to.
    package var delivered = 0
    /// Sessions whose outbox is full.
    package var refused = 0
    /// Sorted by id.
    package var failedNodes: [FailedNode] = []
    /// Its place in what the topic keeps, if it keeps anything.
    package var position: HistoryPosition?
    /// Set when it could not be found out where the message goes, and only the publisher's own node was asked.
    package var lookupFailure: WindfireError?

    package init() {}
}

/// Adds up a receipt from news that come in any order: a node may have answered before it is counted how many were
/// asked. Pure.
struct PublishTally: Sendable {
    enum News: Equatable, Sendable {
        /// So many nodes are being asked.
        case reached(nodes: Int, position: HistoryPosition?, lookupFailure: WindfireError?)
        case outcome(PublishOutcome)
        case failed(NodeID, FailureCode)
        /// Nobody is asked.
        case refused(WindfireError)
    }

    private var receipt = PublishReceipt()
    private var isReached = false
    private var answers = 0

    /// - Returns: the end, with the news that completes it.
    mutating func enter(_ news: News) -> Result<PublishReceipt, WindfireError>? {
        switch news {
        case .reached(let nodes, let position, let lookupFailure):
            isReached = true
            receipt.nodes = nodes
            receipt.position = position
            receipt.lookupFailure = lookupFailure
        case .outcome(let outcome):
            answers += 1
            receipt.delivered += Int(outcome.delivered)
            receipt.refused += Int(outcome.refused)
        case .failed(let node, let code):
            answers += 1
            receipt.failedNodes.append(PublishReceipt.FailedNode(id: node, reason: code.name))
        case .refused(let error):
            return .failure(error)
        }
        guard isReached, answers == receipt.nodes else { return nil }
        receipt.failedNodes.sort { $0.id < $1.id }
        return .success(receipt)
    }
}
