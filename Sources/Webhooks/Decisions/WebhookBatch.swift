import Common

/// Events that travel in one call. A batch that is tried again keeps its id and can only lose events, never gain some:
/// a receiver that has taken the id has taken all that a repeat can bring.
package struct WebhookBatch: Sendable {
    package let id: UUIDv7
    package private(set) var events: [WebhookEvent]
    /// How many events were lost before these: beyond the queue's bound, or given up.
    package let lost: Int
    /// Counted from 1.
    package internal(set) var attempt = 1

    init(id: UUIDv7, events: [WebhookEvent], lost: Int) {
        self.id = id
        self.events = events
        self.lost = lost
    }

    mutating func remove(_ stale: Set<UUIDv7>) { events.removeAll { stale.contains($0.id) } }

    /// `{"events":[…]}`, with `"lost":n` when there is a gap before them.
    package var body: [UInt8] {
        var writer = JSONWriter(capacity: 64 + 256 * events.count)
        writer.beginObject()
        if lost > 0 {
            writer.key("lost")
            writer.integer(lost)
        }
        writer.key("events")
        writer.beginArray()
        for event in events { event.write(to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

extension WebhookBatch: Equatable {
    package static func == (left: WebhookBatch, right: WebhookBatch) -> Bool {
        left.id == right.id && left.events.map(\.id) == right.events.map(\.id) && left.lost == right.lost
            && left.attempt == right.attempt
    }
}
