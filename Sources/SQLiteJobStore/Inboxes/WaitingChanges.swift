import Common

/// Changes of inboxes that wait to be written, of two about one thing only the later: so what waits is never more than
/// what the inboxes hold, however long the disk takes.
struct WaitingChanges {
    /// Everything before it about these clients is void.
    private(set) var forgotten: Set<ClientID> = []
    /// By client and place: nil is a removal.
    private(set) var messages: [ClientID: [StreamPosition: StoredMessage?]] = [:]
    private(set) var marks: [ClientID: InboxMarks] = [:]

    var isEmpty: Bool { forgotten.isEmpty && messages.isEmpty && marks.isEmpty }

    mutating func add(_ change: InboxChange) {
        switch change {
        case .stored(let client, let id, let message): messages[client, default: [:]][id] = .some(message)
        case .removed(let client, let id):
            // What was never written need not be removed.
            if case .some(.some) = messages[client]?[id] {
                messages[client]?[id] = nil
                if messages[client]?.isEmpty == true { messages[client] = nil }
            } else {
                messages[client, default: [:]].updateValue(nil, forKey: id)
            }
        case .marked(let client, let marks): self.marks[client] = marks
        case .forgotten(let client):
            messages[client] = nil
            marks[client] = nil
            forgotten.insert(client)
        }
    }

    /// Takes in what came after these.
    mutating func add(_ later: WaitingChanges) {
        for client in later.forgotten { add(.forgotten(client)) }
        for (client, changed) in later.messages {
            for (id, message) in changed { add(message.map { .stored(client, id, $0) } ?? .removed(client, id)) }
        }
        for (client, marks) in later.marks { add(.marked(client, marks)) }
    }
}
