import Common

/// One thing that is told. Written as JSON only when its batch is made, so that a thousand events about one push share
/// its data while they wait.
package struct WebhookEvent: Sendable {
    /// Stays the same over all tries: receivers drop what they have seen.
    package let id: UUIDv7
    package let content: any WebhookContent
    /// Whose news it is, when newer news makes it stale; nil for events that stand alone.
    package let subject: Subject?

    package init(id: UUIDv7, content: any WebhookContent, subject: Subject? = nil) {
        self.id = id
        self.content = content
        self.subject = subject
    }

    /// A device of a client, as of one claim.
    package struct Subject: Hashable, Sendable {
        package let client: ClientID
        package let device: DeviceID
        package let epoch: Epoch

        package init(client: ClientID, device: DeviceID, epoch: Epoch) {
            self.client = client
            self.device = device
            self.epoch = epoch
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string(content.type)
        writer.key("id")
        writer.string(id.description)
        content.write(to: &writer)
        writer.endObject()
    }
}

/// What an event says, after its `type` and `id`.
package protocol WebhookContent: Sendable {
    var type: String { get }
    /// Writes the members of an object that is open.
    func write(to writer: inout JSONWriter)
}
