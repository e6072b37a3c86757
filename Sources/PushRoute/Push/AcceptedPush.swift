import Common

/// What a call of `POST /v1/push` became: the answer names it, and a repeated call with the same `dedupe_key` is
/// answered with it.
enum AcceptedPush: Equatable, Sendable {
    case push(UUIDv7)
    case job(JobID)

    /// As the route store remembers it.
    var text: String {
        switch self {
        case .push(let id): "push:\(id)"
        case .job(let id): "job:\(id)"
        }
    }

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let id = UUIDv7(parts[1]) else { return nil }
        switch parts[0] {
        case "push": self = .push(id)
        case "job": self = .job(JobID(id))
        default: return nil
        }
    }

    /// The answer to a call that sent nothing because an earlier one has.
    var duplicateJSON: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        switch self {
        case .push(let id):
            writer.key("id")
            writer.string(id.description)
        case .job(let id):
            writer.key("job")
            writer.string(id.description)
        }
        writer.key("duplicate")
        writer.boolean(true)
        writer.endObject()
        return writer.bytes
    }

    /// The answer to a call that has become a job.
    static func jobJSON(_ id: JobID, total: Int, badLines: BadLines?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("job")
        writer.string(id.description)
        writer.key("total")
        writer.integer(total)
        PushAnswer.write(badLines, to: &writer)
        writer.endObject()
        return writer.bytes
    }
}
