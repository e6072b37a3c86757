import Common

/// What became of a push, target by target. Pure: attempts go in, the receipt comes out.
///
/// A target is a client. It is `delivered` when at least one of its connections took the message; else `failed` when
/// one could not be tried or did not take it; else `offline`, which is where everyone starts. A stored message that no
/// connection took is not lost but waits: its target is `offline`, and counts as `stored` besides.
package struct PushLedger: Sendable {
    package enum Status: String, Sendable {
        case offline, failed, delivered
    }

    /// One device of a target, as the answer shows it.
    package struct Row: Hashable, Sendable {
        package let device: DeviceID
        package let node: NodeID
        package let status: Status
        package let reason: String?
    }

    package private(set) var statuses: [Status]
    /// Why a target was not delivered to; of several reasons the first.
    package private(set) var reasons: [Int: String] = [:]
    /// Only kept when the answer shows rows.
    package private(set) var rows: [Int: [Row]] = [:]
    package let keepsRows: Bool
    /// Whose message lies in the inbox; empty for a live push.
    private var isInInbox: [Bool] = []

    package init(targets: Int, keepsRows: Bool) {
        statuses = Array(repeating: .offline, count: targets)
        self.keepsRows = keepsRows
    }

    mutating func delivered(_ session: PlannedSession) {
        statuses[session.target] = .delivered
        addRow(session, .delivered, nil)
    }

    /// - Parameter reason: a stable name.
    mutating func failed(_ session: PlannedSession, reason: String) {
        failed(target: session.target, reason: reason)
        addRow(session, .failed, reason)
    }

    /// A target that has no session to speak of.
    mutating func failed(target: Int, reason: String) {
        if statuses[target] == .offline { statuses[target] = .failed }
        if reasons[target] == nil { reasons[target] = reason }
    }

    /// The target's message lies in its inbox.
    mutating func stored(target: Int) {
        if isInInbox.isEmpty { isInInbox = Array(repeating: false, count: statuses.count) }
        isInInbox[target] = true
    }

    /// A stored message that this session did not take.
    mutating func waits(_ session: PlannedSession, reason: String) {
        if reasons[session.target] == nil { reasons[session.target] = reason }
        addRow(session, .offline, reason)
    }

    private mutating func addRow(_ session: PlannedSession, _ status: Status, _ reason: String?) {
        guard keepsRows else { return }
        rows[session.target, default: []].append(
            Row(
                device: session.route.device, node: session.route.incarnation.node, status: status, reason: reason))
    }

    /// Whether a target's message lies in its inbox.
    package func isStored(_ target: Int) -> Bool { !isInInbox.isEmpty && isInInbox[target] }

    /// A target is in exactly one of `delivered`, `offline` and `failed`.
    package struct Counts: Hashable, Sendable {
        package var delivered = 0
        package var offline = 0
        package var failed = 0
        /// Of the offline ones, those whose message waits in the inbox.
        package var stored = 0
    }

    package var counts: Counts {
        var counts = Counts()
        for (target, status) in statuses.enumerated() {
            switch status {
            case .delivered: counts.delivered += 1
            case .offline:
                counts.offline += 1
                if isStored(target) { counts.stored += 1 }
            case .failed: counts.failed += 1
            }
        }
        return counts
    }
}
