import Common

/// What stands under our name, as one reading found it.
struct FoundEntry: Equatable, Sendable {
    let version: Int32
    /// The owning session; 0 for an entry that is not ephemeral.
    let owner: Int64
    /// Nil when the bytes are not a member's: somebody wrote there by hand.
    let member: Member?
}

/// Decides, reading by reading, how an entry comes to say what it should. No I/O and no clock: read, ask `next`, do the
/// step, read again, until it `stands` or is `gone`. So a step whose answer was lost needs no thought: the next reading
/// shows whether it happened.
///
/// An entry of another incarnation under our node id is either a living process, or what a crashed one left behind
/// until its session runs out. One cannot tell at once; after two session timeouts, one can: ZooKeeper rounds an expiry
/// up to its next tick, which is at most half a session timeout long. But only after two in touch: an ensemble that
/// restarts, or elects a leader, gives every session its whole timeout again.
struct EntryPlan: Equatable, Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Step: Equatable {
        /// Ours, with the right content.
        case stands
        case create
        case write(version: Int32)
        /// Ours from an earlier session: it would vanish in the middle of this one. Delete it and create it anew, in
        /// one.
        case replaceLeftover(version: Int32)
        /// Ours, and no longer wanted.
        case delete(version: Int32)
        /// Not wanted and not there.
        case gone
        /// Somebody else's. Look again when it changes, and at the latest then.
        case wait(until: Instant)
        /// Somebody else's, and not about to go. Nil when it is no member's at all.
        case taken(by: Incarnation?)
    }

    private struct Stranger: Equatable {
        var incarnation: Incarnation?
        var since: Instant
    }

    /// Whose entry it was the last time, if not ours.
    private var stranger: Stranger?

    /// - Parameters:
    ///   - found: what was just read; nil for nothing.
    ///   - wanted: what the entry shall say; nil when it shall go.
    ///   - session: the present one.
    ///   - inTouchSince: when the present contact with the ensemble began.
    ///   - patience: how long another's entry may take to vanish while in touch: two session timeouts.
    mutating func next(
        found: FoundEntry?, incarnation: Incarnation, wanted: Member?, session: Int64, inTouchSince: Instant,
        patience: Duration, now: Instant
    ) -> Step {
        guard let found else {
            stranger = nil
            return wanted == nil ? .gone : .create
        }
        let isMine = found.owner == session || (found.owner != 0 && found.member?.incarnation == incarnation)
        guard isMine else {
            guard wanted != nil else { return .gone }
            let other = found.member?.incarnation
            if stranger == nil || stranger?.incarnation != other { stranger = Stranger(incarnation: other, since: now) }
            let end = max(stranger?.since ?? now, inTouchSince).advanced(by: patience)
            return end > now ? .wait(until: end) : .taken(by: other)
        }
        stranger = nil
        guard let wanted else { return .delete(version: found.version) }
        guard found.owner == session else { return .replaceLeftover(version: found.version) }
        return found.member == wanted ? .stands : .write(version: found.version)
    }
}
