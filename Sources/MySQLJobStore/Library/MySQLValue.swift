/// A parameter of a statement, or a column of its answer.
enum MySQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    /// Sent as characters of the connection's set, utf8mb4. Answers have `bytes` instead.
    case text(String)
    case bytes([UInt8])

    static func integer(_ value: Int) -> MySQLValue { .integer(Int64(value)) }
    /// Times and counts; those beyond the signed half stand for "very large".
    static func integer(_ value: UInt64) -> MySQLValue { .integer(Int64(clamping: value)) }

    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

/// What a statement answered.
struct MySQLAnswer: Sendable {
    var rows: [[MySQLValue]] = []
    /// Rows that an UPDATE or DELETE matched, an INSERT made.
    var affected = 0
}
