/// What one process believes about one role's members: the last-known list, and the rule that keeps a sick registry
/// from emptying it. No I/O and no clock: the caller reads the registry, says when, and does what the answer says.
///
/// **More than half.** A reading that lacks more than half of the known members is not believed at once. What it adds
/// and changes is taken over; what it lacks stays for `holdBack` and goes only if every reading in between lacked it
/// too, also when others have come back meanwhile: after a registry was wiped they all do, one by one. A single node
/// that leaves a larger group is believed immediately.
///
/// **Outage.** Nobody calls `read` while the registry is away, so the list stays as it is. Whoever is missing in the
/// first reading after it (`lostSight`) gets the full time to come back, however few they are: they may have lost their
/// sessions and be about to register again.
package struct MemberView: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum ReadAction: Equatable {
        /// The list is as it was.
        case none
        /// The list changed and is final.
        case publish
        /// Something is held back. Read again at `until`, or when the registry says that something changed; `publish`
        /// tells whether the list changed as well.
        case readAgain(until: Instant, publish: Bool)
    }

    package private(set) var members: Members = .unknown
    /// The next reading is the first one after an outage.
    private var wasAway = false
    /// Known members that recent readings lacked, and since when. Empty unless something is held back.
    private var missingSince: [NodeID: Instant] = [:]
    private let holdBack: Duration

    package static let defaultHoldBack: Duration = .seconds(10)

    package init(holdBack: Duration = Self.defaultHoldBack) {
        self.holdBack = holdBack
    }

    /// Takes in a complete reading of the registry.
    package mutating func read(_ found: [Member], now: Instant) -> ReadAction {
        let before = members
        let read = Members(found).byID
        let missing = members.byID.keys.filter { read[$0] == nil }
        let areTooMany = missing.count * 2 > members.byID.count || wasAway
        wasAway = false
        var since: [NodeID: Instant] = [:]
        var kept: [Member] = []
        for id in missing {
            guard let start = missingSince[id] ?? (areTooMany ? now : nil), start.advanced(by: holdBack) > now,
                let member = members.byID[id]
            else { continue }
            since[id] = start
            kept.append(member)
        }
        missingSince = since
        members = Members(found + kept)
        guard let first = since.values.min() else { return members == before ? .none : .publish }
        return .readAgain(until: first.advanced(by: holdBack), publish: members != before)
    }

    /// The registry cannot be read for now.
    package mutating func lostSight() {
        missingSince = [:]
        wasAway = true
    }
}
