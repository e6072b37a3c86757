import Common
import NIOCore
import PushCore

/// Reads one frame of a device. Whatever is wrong with it is an `.invalid` event: the device is told, with the
/// reference of its request when there was one, and the connection goes on.
enum JSONFrameReader {
    static func event(in message: ByteBuffer) -> SessionEvent {
        var members = Members()
        do throws(JSONFailure) {
            members = try message.withUnsafeReadableBytes { bytes throws(JSONFailure) in try Members(bytes) }
        } catch {
            return .invalid(WindfireError(.invalidJSON, "the frame \(error)"), ref: nil)
        }
        do throws(WindfireError) {
            return try members.event(in: message)
        } catch {
            return .invalid(error, ref: members.ref)
        }
    }

    /// The members that some operation knows. Unknown ones are passed over, so that newer clients can talk to older
    /// nodes.
    private struct Members {
        var operation: String?
        var token: String?
        var device: String?
        var id: String?
        var to: String?
        var topic: String?
        var since: String?
        var data: Range<Int>?
        var inbox: Bool?
        var ref: Reference?
        var hasInvalidRef = false
        /// The first member that is not a string and should be.
        private var wrongType: JSONFailure?

        init() {}

        init(_ bytes: UnsafeRawBufferPointer) throws(JSONFailure) {
            var scanner = JSONScanner(bytes)
            try scanner.enterObject()
            while let key = try scanner.nextKey() {
                switch key {
                case "op": operation = try string(&scanner)
                case "token": token = try string(&scanner)
                case "device": device = try string(&scanner)
                case "id": id = try string(&scanner)
                case "to": to = try string(&scanner)
                case "topic": topic = try string(&scanner)
                case "since": since = try string(&scanner)
                case "data": data = try scanner.skipValue()
                case "inbox": inbox = try boolean(&scanner)
                case "ref":
                    let kind = try scanner.peekKind()
                    let range = try scanner.skipValue()
                    ref = kind == .number || kind == .string ? Reference(json: scanner.text(in: range)) : nil
                    hasInvalidRef = ref == nil
                default: try scanner.skipValue()
                }
            }
            try scanner.finish()
        }

        /// A member of another type is passed over and remembered: `ref` may stand behind it, and the answer names it.
        private mutating func string(_ scanner: inout JSONScanner) throws(JSONFailure) -> String? {
            guard try scanner.peekKind() == .string else {
                wrongType = wrongType ?? JSONFailure(.wrongType, at: scanner.position)
                try scanner.skipValue()
                return nil
            }
            return try scanner.readString()
        }

        private mutating func boolean(_ scanner: inout JSONScanner) throws(JSONFailure) -> Bool? {
            guard try scanner.peekKind() == .boolean else {
                wrongType = wrongType ?? JSONFailure(.wrongType, at: scanner.position)
                try scanner.skipValue()
                return nil
            }
            return try scanner.readBoolean()
        }

        func event(in message: ByteBuffer) throws(WindfireError) -> SessionEvent {
            if let wrongType { throw WindfireError(.invalidJSON, "the frame \(wrongType)") }
            guard !hasInvalidRef else {
                throw WindfireError(
                    .invalidRequest, "ref is a number or a string of at most \(Reference.bytesMax) bytes")
            }
            switch operation {
            case "hello":
                let device: DeviceID? = if let name = self.device { try DeviceID(name) } else { nil }
                return .hello(token: try required(token, "token"), device: device, takesInbox: inbox ?? true)
            case "token": return .renew(token: try required(token, "token"), ref: ref)
            case "ack": return .acknowledge(try MessageID(try required(id, "id")))
            case "send":
                return .send(to: try ClientID(try required(to, "to")), data: try data(in: message), ref: ref)
            case "subscribe":
                let since: HistoryPosition? = if let since { try HistoryPosition(since) } else { nil }
                return .subscribe(try TopicPattern(try required(topic, "topic")), since: since, ref: ref)
            case "unsubscribe": return .unsubscribe(try TopicPattern(try required(topic, "topic")), ref: ref)
            case "publish":
                return .publish(try Topic(try required(topic, "topic")), data: try data(in: message), ref: ref)
            case "ping": return .ping
            case nil: throw WindfireError(.invalidRequest, "op is missing")
            default: throw WindfireError(.unknownOperation, FailureCode.unknownOperation.title)
            }
        }

        private func data(in message: ByteBuffer) throws(WindfireError) -> ByteBuffer {
            let range = try required(data, "data")
            return try required(
                message.getSlice(at: message.readerIndex + range.lowerBound, length: range.count), "data")
        }

        private func required<Value>(_ value: Value?, _ name: StaticString) throws(WindfireError) -> Value {
            guard let value else { throw WindfireError(.invalidRequest, "\(name) is missing") }
            return value
        }
    }
}
