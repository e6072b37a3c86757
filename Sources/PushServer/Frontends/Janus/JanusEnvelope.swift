import NIOCore

/// What a Janus publish carries besides its topic, as the data of a message: `{"event":…,"message_id":…,"data":…}`.
/// Other subscribers see this object; from it the members come back to Janus subscribers as they were published, and
/// whoever publishes such an object by another way speaks to Janus clients in their words.
struct JanusEnvelope: Equatable {
    let event: ByteBuffer
    let messageID: ByteBuffer
    let data: ByteBuffer

    /// Each is one JSON value.
    init(event: ByteBuffer, messageID: ByteBuffer, data: ByteBuffer) {
        self.event = event
        self.messageID = messageID
        self.data = data
    }

    /// Nil when it is not such an object.
    init?(json: ByteBuffer) {
        guard let members = JanusObject.members("event", "message_id", "data", of: json) else { return nil }
        self.init(event: members[0], messageID: members[1], data: members[2])
    }

    var json: ByteBuffer {
        var json = ByteBuffer()
        json.reserveCapacity(32 + event.readableBytes + messageID.readableBytes + data.readableBytes)
        json.writeStaticString("{\"event\":")
        json.writeImmutableBuffer(event)
        json.writeStaticString(",\"message_id\":")
        json.writeImmutableBuffer(messageID)
        json.writeStaticString(",\"data\":")
        json.writeImmutableBuffer(data)
        json.writeStaticString("}")
        return json
    }
}
