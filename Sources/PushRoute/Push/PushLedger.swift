import Common

/// What became of a push, target by target. Pure: attempts go in, the receipt comes out.
///
/// A target is a client. It is `delivered` when at least one of its connections took the message; else `failed` when
/// one could not be tried or did not take it; else `offline`, which is where everyone starts.
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
    /// Why a target failed; of several reasons the first.
    package private(set) var reasons: [Int: String] = [:]
    /// Only kept when the answer shows rows.
    package private(set) var rows: [Int: [Row]] = [:]
    package let keepsRows: Bool

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
        if statuses[session.target] == .offline { statuses[session.target] = .failed }
        if reasons[session.target] == nil { reasons[session.target] = reason }
        addRow(session, .failed, reason)
    }

    private mutating func addRow(_ session: PlannedSession, _ status: Status, _ reason: String?) {
        guard keepsRows else { return }
        rows[session.target, default: []].append(
            Row(
                device: session.route.device, node: session.route.incarnation.node, status: status, reason: reason))
    }

    package struct Counts: Hashable, Sendable {
        package var delivered = 0
        package var offline = 0
        package var failed = 0
    }

    package var counts: Counts {
        statuses.reduce(into: Counts()) { counts, status in
            switch status {
            case .delivered: counts.delivered += 1
            case .offline: counts.offline += 1
            case .failed: counts.failed += 1
            }
        }
    }
}
