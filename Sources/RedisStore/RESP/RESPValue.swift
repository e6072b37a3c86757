import NIOCore

/// One reply of Redis (RESP2, redis.io/docs/reference/protocol-spec). The strings of one reply are slices of one
/// buffer.
package enum RESPValue: Hashable, Sendable {
    case null
    case integer(Int64)
    /// `+OK`: short, chosen by the server.
    case status(String)
    /// Binary-safe.
    case bulk(ByteBuffer)
    /// `-…`: the command was refused; the connection is fine.
    case error(RedisReplyError)
    case array([RESPValue])
}

extension RESPValue {
    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        default: nil
        }
    }

    package var array: [RESPValue]? {
        switch self {
        case .array(let values): values
        default: nil
        }
    }

    package var text: String? {
        switch self {
        case .bulk(let bytes): String(buffer: bytes)
        case .status(let text): text
        default: nil
        }
    }
}
