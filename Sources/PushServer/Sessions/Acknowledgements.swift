import Common
import PushCore

/// What the sessions of one shard have acknowledged and the store has not been told yet. Acknowledgements are
/// cumulative, so each session has one at most: the furthest.
struct Acknowledgements {
    private var waiting: [SessionID: Acknowledgement] = [:]
    private(set) var isUnderWay = false

    var isEmpty: Bool { waiting.isEmpty }

    mutating func note(_ acknowledgement: Acknowledgement, of session: SessionID) {
        if let present = waiting[session], present.upTo >= acknowledgement.upTo { return }
        waiting[session] = acknowledgement
    }

    /// Takes all that wait; nil while the last ones are on their way, or when there are none.
    mutating func take() -> [(session: SessionID, acknowledgement: Acknowledgement)]? {
        guard !isUnderWay, !waiting.isEmpty else { return nil }
        defer { waiting = [:] }
        isUnderWay = true
        return waiting.map { (session: $0.key, acknowledgement: $0.value) }
    }

    /// The store has answered; what failed waits again.
    mutating func finish(failed: [(session: SessionID, acknowledgement: Acknowledgement)]) {
        isUnderWay = false
        for entry in failed { note(entry.acknowledgement, of: entry.session) }
    }
}
