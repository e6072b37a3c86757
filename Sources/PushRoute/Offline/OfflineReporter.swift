import Common

/// Is told which targets of a push had no connection, when all that is known about the push is known.
///
/// Called on the push's way: it must not wait. What it cannot take it drops and counts.
package protocol OfflineReporter: Sendable {
    func report(_ targets: [ClientID], of push: OfflinePush)
}

/// A push, as far as those concern who were not there.
package struct OfflinePush: Equatable, Sendable {
    package enum Mode: String, Sendable {
        case live, stored
    }

    package let message: MessageID
    package let mode: Mode
    /// Whether the message waits in the targets' inboxes.
    package let isStored: Bool
    /// JSON.
    package let data: [UInt8]
    /// When it was pushed, in Unix milliseconds.
    package let timestampMilliseconds: UInt64
    package let traceID: String?

    package init(
        message: MessageID, mode: Mode, isStored: Bool, data: [UInt8], timestampMilliseconds: UInt64, traceID: String?
    ) {
        self.message = message
        self.mode = mode
        self.isStored = isStored
        self.data = data
        self.timestampMilliseconds = timestampMilliseconds
        self.traceID = traceID
    }
}

extension OfflineReporter {
    /// Reports the targets of a complete ledger that are offline in it. Those that failed are not among them, nor those
    /// whose stored message a session did not take: they have a connection, or nobody knows whether they do.
    func report(_ targets: [ClientID], in ledger: PushLedger, of push: @autoclosure () -> OfflinePush) {
        precondition(targets.count == ledger.statuses.count, "a ledger has one status per target")
        let offline = targets.enumerated().compactMap { place, client in
            ledger.statuses[place] == .offline && ledger.reasons[place] == nil ? client : nil
        }
        if !offline.isEmpty { report(offline, of: push()) }
    }
}
