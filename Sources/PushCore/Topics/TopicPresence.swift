import Common
import DequeModule
import NIOCore

/// Which topics a node announces in the route store, so that it gets what is published to them: it joins a topic's set
/// when the first of its shards has a subscriber, and leaves some time after the last one has none, so that a reconnect
/// or somebody who opens and closes a page does not reach the store.
///
/// ```
///            gained                     done
///   unknown ────────► join in flight ─────────► member ── again and again ──► join in flight
///                      ▲  failed: later            │ lost, and nobody for a while
///                      └─────────                  ▼
///   unknown ◄──────────── done ────────── leave in flight ── failed: later ──► leave in flight
/// ```
///
/// One call at a time for each pattern, so that a leave never overtakes the join after it. Announcements are soft
/// state:
/// each is repeated (`Rules.reassert`), at periods that differ by topic, so a wiped store fills up again by itself.
///
/// A pattern with wildcards is announced like a topic, but in one small hash that publishers keep a copy of
/// (`PatternDirectory`): so a publish to any matching topic finds the node. Every such pattern costs memory at every
/// publisher and each change makes them read the hash again; hence `Rules.wildcardsMax`.
///
/// Pure: the node calls `actions` after everything it told, and at every turn of its wheel; it performs them, and tells
/// how each went. Memory: some 120 bytes for a pattern that has or just had subscribers.
package struct TopicPresence: Sendable {
    private enum Membership { case none, unsure, member }

    private struct Entry {
        /// Shards with subscribers.
        var shards = 0
        var membership = Membership.none
        var isCalling = false
        var failures = 0
        var dueAt: NIODeadline
        /// The slot of the wheel that counts.
        var slotAt: NIODeadline?
        var isReady = false
    }

    private let rules: Rules
    private var entries: [TopicPattern: Entry] = [:]
    /// Due now.
    private var ready: Deque<TopicPattern> = []
    private var wheel: TimerWheel<TopicPattern>
    private var inFlight = 0
    private var wildcardCount = 0

    package init(rules: Rules = Rules(), now: NIODeadline) {
        self.rules = rules
        wheel = TimerWheel(tick: .milliseconds(250), slotCount: 256, now: now)
    }

    /// Patterns that are announced, or about to be, or about to be no more.
    package var count: Int { entries.count }

    /// - Returns: whether the store has it, as far as the node knows.
    package func isMember(of pattern: TopicPattern) -> Bool { entries[pattern]?.membership == .member }

    // MARK: What happens

    /// A shard has its first subscriber of a pattern.
    /// - Throws: `too_many_patterns`; nothing has changed then, and the shard takes the subscription back.
    package mutating func gained(_ pattern: TopicPattern, now: NIODeadline) throws(WindfireError) -> Standing {
        if entries[pattern] == nil {
            guard !pattern.isWildcard || wildcardCount < rules.wildcardsMax else {
                throw WindfireError(
                    .tooManyPatterns, "the node has \(rules.wildcardsMax) patterns with wildcards",
                    retryAfter: .seconds(5))
            }
            if pattern.isWildcard { wildcardCount += 1 }
        }
        var entry = entries[pattern] ?? Entry(dueAt: now)
        entry.shards += 1
        let isMember = entry.membership == .member
        if entry.shards == 1 {
            schedule(&entry, pattern, at: isMember ? now + reassertPeriod(of: pattern) : now, now: now)
        }
        entries[pattern] = entry
        return isMember ? .member : .joining
    }

    /// A shard has no subscriber of a pattern any more.
    package mutating func lost(_ pattern: TopicPattern, now: NIODeadline) {
        guard var entry = entries[pattern], entry.shards > 0 else { return }
        entry.shards -= 1
        if entry.shards == 0 { schedule(&entry, pattern, at: now + rules.linger, now: now) }
        entries[pattern] = entry
    }

    /// How a call went.
    /// - Returns: whether the node has become a member by it: who waits for that can be answered.
    package mutating func finished(_ action: Action, succeeded: Bool, now: NIODeadline) -> Bool {
        let (pattern, isJoin) =
            switch action {
            case .join(let pattern): (pattern, true)
            case .leave(let pattern): (pattern, false)
            }
        guard var entry = entries[pattern], entry.isCalling else { return false }
        inFlight -= 1
        entry.isCalling = false
        entry.failures = succeeded ? 0 : entry.failures + 1
        let wasMember = entry.membership == .member
        if succeeded {
            entry.membership = isJoin ? .member : .none
        } else if !(isJoin && wasMember) {
            // It may have been done all the same. A repetition that failed changes nothing.
            entry.membership = .unsure
        }
        let isWanted = entry.shards > 0
        if !isWanted, entry.membership == .none {
            forget(pattern)
            return false
        }
        let pause =
            if isWanted == isJoin, !succeeded {
                rules.retryDelay * (1 << min(entry.failures - 1, 5))
            } else if isWanted {
                entry.membership == .member ? reassertPeriod(of: pattern) : .zero
            } else {
                rules.linger
            }
        schedule(&entry, pattern, at: now + pause, now: now)
        entries[pattern] = entry
        return isWanted && !wasMember && entry.membership == .member
    }

    /// The store was away and may have forgotten: everything is announced again, spread over some time.
    package mutating func storeReturned(over spread: TimeAmount, now: NIODeadline) {
        for (pattern, entry) in entries where entry.shards > 0 && !entry.isCalling {
            var entry = entry
            entry.failures = 0
            let share = Double(StableHash.of(pattern.text) >> 32) / Double(1 << 32)
            let delay = entry.membership == .member ? Int64(Double(spread.nanoseconds) * share) : 0
            schedule(&entry, pattern, at: now + .nanoseconds(delay), now: now)
            entries[pattern] = entry
        }
    }

    // MARK: What is to be done

    /// The calls that are due, as many as may be on their way. Each must be answered by `finished`.
    package mutating func actions(now: NIODeadline) -> [Action] {
        turnWheel(to: now)
        var actions: [Action] = []
        while inFlight < rules.inFlightMax, let pattern = ready.popFirst() {
            guard var entry = entries[pattern] else { continue }
            entry.isReady = false
            if !entry.isCalling, entry.dueAt <= now {
                if entry.shards == 0, entry.membership == .none {
                    forget(pattern)
                    continue
                }
                entry.isCalling = true
                inFlight += 1
                if entry.shards > 0 {
                    actions.append(.join(pattern))
                } else {
                    // From now on it may be gone any moment: who subscribes meanwhile is not heard yet.
                    entry.membership = .unsure
                    actions.append(.leave(pattern))
                }
            }
            entries[pattern] = entry
        }
        return actions
    }

    private mutating func turnWheel(to now: NIODeadline) {
        var due: [(TopicPattern, NIODeadline)] = []
        wheel.advance(to: now) { _, pattern, slot in due.append((pattern, slot)) }
        for (pattern, slot) in due {
            guard var entry = entries[pattern], entry.slotAt == slot else { continue }
            entry.slotAt = nil
            if !entry.isCalling { schedule(&entry, pattern, at: entry.dueAt, now: now) }
            entries[pattern] = entry
        }
    }

    /// One standing slot of the wheel is enough: when it comes before the deadline, it is only moved.
    private mutating func schedule(
        _ entry: inout Entry, _ pattern: TopicPattern, at deadline: NIODeadline, now: NIODeadline
    ) {
        entry.dueAt = deadline
        if deadline <= now {
            if !entry.isReady { ready.append(pattern) }
            entry.isReady = true
        } else if entry.slotAt.map({ deadline < $0 }) ?? true {
            entry.slotAt = wheel.insert(pattern, at: deadline)
        }
    }

    private mutating func forget(_ pattern: TopicPattern) {
        entries[pattern] = nil
        if pattern.isWildcard { wildcardCount -= 1 }
    }

    /// Differs by topic, so that what was joined in one moment is not repeated in one moment for ever.
    private func reassertPeriod(of pattern: TopicPattern) -> TimeAmount {
        let share = Double(StableHash.of(pattern.text) >> 32) / Double(1 << 32)
        return .nanoseconds(Int64(Double(rules.reassert.nanoseconds) * (1 + share / 2)))
    }
}
