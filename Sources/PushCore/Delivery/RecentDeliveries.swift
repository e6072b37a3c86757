import Common
import NIOCore

/// Which sessions got which live message of a job. A part of a job whose runner died is called again by another, and
/// must not be delivered twice; a live message leaves no trace elsewhere. Stored messages do not need it: their place
/// in the inbox tells.
///
/// Bounded: a message that was not called for ten minutes is forgotten, and beyond `sessionsMax` remembered deliveries
/// the one that was not called for longest.
package struct RecentDeliveries {
    private static let age: TimeAmount = .minutes(10)

    private struct Entry {
        var sessions: Set<SessionID> = []
        var calledAt: NIODeadline
    }

    private let sessionsMax: Int
    private var entries: [MessageID: Entry] = [:]
    private var count = 0

    /// - Parameter sessionsMax: remembered deliveries, about 24 bytes each.
    package init(sessionsMax: Int = 1_000_000) { self.sessionsMax = sessionsMax }

    package func contains(_ session: SessionID, of message: MessageID) -> Bool {
        entries[message]?.sessions.contains(session) ?? false
    }

    package mutating func note(_ session: SessionID, of message: MessageID, now: NIODeadline) {
        if entries[message] == nil { makeRoom(now: now) }
        let isNew = entries[message, default: Entry(calledAt: now)].sessions.insert(session).inserted
        entries[message]?.calledAt = now
        if isNew { count += 1 }
    }

    private mutating func makeRoom(now: NIODeadline) {
        for (message, entry) in entries where entry.calledAt + Self.age <= now { forget(message) }
        while count >= sessionsMax, let oldest = entries.min(by: { $0.value.calledAt < $1.value.calledAt })?.key {
            forget(oldest)
        }
    }

    private mutating func forget(_ message: MessageID) {
        count -= entries.removeValue(forKey: message)?.sessions.count ?? 0
    }
}
