/// The inboxes of all clients in memory, and what changed in them since a journal was last told.
struct InboxTable {
    private let limits: Limits
    private let isJournaled: Bool
    private var boxes: [ClientID: InboxBox] = [:]
    private var changes: [InboxChange] = []
    /// Boxes that nobody has touched for long are dropped when the number of boxes has doubled.
    private var boxesAtLastSweep = 64

    init(limits: Limits, isJournaled: Bool) {
        self.limits = limits
        self.isJournaled = isJournaled
    }

    /// Works on the inbox of a client, at a time in Unix milliseconds.
    mutating func with<Result>(
        _ client: ClientID, now: UInt64, _ body: (inout InboxBox, Limits) -> Result
    ) -> Result {
        if boxes.count >= 2 * boxesAtLastSweep { sweep(now: now) }
        let before = boxes[client]?.marks ?? InboxMarks()
        let result = body(&boxes[client, default: InboxBox()], limits)
        let log = boxes[client]?.takeLog() ?? []
        guard isJournaled, let after = boxes[client]?.marks else { return result }
        for entry in log {
            switch entry {
            case .stored(let id, let message): changes.append(.stored(client, id, message))
            case .removed(let id): changes.append(.removed(client, id))
            }
        }
        if after != before { changes.append(.marked(client, after)) }
        return result
    }

    /// Without making a box for who has none.
    func marks(of client: ClientID) -> InboxMarks? { boxes[client]?.marks }

    func summary(of client: ClientID) -> InboxSummary { boxes[client]?.summary ?? .none }

    mutating func takeChanges() -> [InboxChange] {
        defer { changes.removeAll() }
        return changes
    }

    /// Applies what a journal has kept.
    mutating func restore(_ change: InboxChange) {
        switch change {
        case .stored(let client, let id, let message):
            boxes[client, default: InboxBox()].restore(message, at: id, limits)
        case .removed(let client, let id): boxes[client]?.restoreRemoval(of: id)
        case .marked(let client, let marks): boxes[client, default: InboxBox()].restore(marks)
        case .forgotten(let client): boxes[client] = nil
        }
    }

    /// Twice the age of a message after the last sign of life there is nothing left that anybody could ask for.
    private mutating func sweep(now: UInt64) {
        let forgotten = now - min(now, 2 * limits.inboxAge.wholeMilliseconds)
        for (client, box) in boxes where box.touchedAt < forgotten {
            boxes[client] = nil
            if isJournaled { changes.append(.forgotten(client)) }
        }
        boxesAtLastSweep = max(64, boxes.count)
    }
}
