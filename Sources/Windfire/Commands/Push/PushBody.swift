import Common
import Foundation
import NIOCore

/// What `POST /v1/push` is told, in the forms that its bodies have.
struct PushBody {
    /// One JSON value.
    var data: [UInt8]
    var mode: String?
    /// Seconds.
    var timeToLive: Int64?
    var collapseKey: String?
    var dedupeKey: String?
    var rate: Int?

    /// Who is not named client by client.
    enum Audience: Equatable {
        case topics([String])
        case everyone
    }

    /// The object with all ids in it.
    func json(clients: [String]) throws -> ByteBuffer { try json(to: "clients", clients) }

    func json(to audience: Audience) throws -> ByteBuffer {
        switch audience {
        case .topics(let topics) where topics.count == 1: try json(to: "topic", topics[0])
        case .topics(let topics): try json(to: "topics", topics)
        case .everyone: try json(to: "everyone", true)
        }
    }

    private func json(to field: String, _ value: some Encodable) throws -> ByteBuffer {
        let value = try JSONEncoder().encode(value)
        var body = ByteBuffer()
        body.reserveCapacity(256 + data.count + value.count)
        body.writeString("{\"to\":{\"\(field)\":")
        body.writeBytes(value)
        body.writeString("},")
        body.writeBytes(push.dropFirst())
        return body
    }

    /// The object without ids, as it stands before a list.
    var push: [UInt8] {
        var writer = JSONWriter(capacity: data.count + 128)
        writer.beginObject()
        if let mode {
            writer.key("mode")
            writer.string(mode)
        }
        if let timeToLive {
            writer.key("ttl_s")
            writer.integer(timeToLive)
        }
        if let collapseKey {
            writer.key("collapse_key")
            writer.string(collapseKey)
        }
        if let dedupeKey {
            writer.key("dedupe_key")
            writer.string(dedupeKey)
        }
        if let rate {
            writer.key("rate_per_s")
            writer.integer(rate)
        }
        writer.key("data")
        // A line of its own has no line end inside; outside of strings they mean nothing, and inside they are escaped.
        writer.raw(data.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        writer.endObject()
        return writer.bytes
    }

    /// - Parameter data: one JSON value.
    static func make(clients: [String], data: [UInt8]) throws -> ByteBuffer {
        try PushBody(data: data).json(clients: clients)
    }
}
