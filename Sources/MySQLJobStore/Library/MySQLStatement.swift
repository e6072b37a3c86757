import CMariaDB

/// One prepared statement: the single owner of its `MYSQL_STMT *` and of the memory the library writes answers to.
/// Values travel beside the text and never in it (mariadb.com/kb, "Prepared Statement API"), so nothing has to be
/// escaped.
final class MySQLStatement {
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    private let parameterCount: Int
    private let columns: Columns?

    init(_ sql: String, on handle: UnsafeMutablePointer<MYSQL>) throws {
        guard let statement = mysql_stmt_init(handle) else {
            throw MySQLError(code: 2008, text: "no memory for a statement")
        }
        self.statement = statement
        guard mysql_stmt_prepare(statement, sql, UInt(sql.utf8.count)) == 0 else {
            let error = Self.lastError(of: statement)
            mysql_stmt_close(statement)
            isClosed = true
            (parameterCount, columns) = (0, nil)
            throw error
        }
        parameterCount = Int(mysql_stmt_param_count(statement))
        columns = mysql_stmt_result_metadata(statement).map { metadata in
            defer { mysql_free_result(metadata) }
            return Columns(metadata)
        }
    }

    private var isClosed = false

    deinit {
        if !isClosed { mysql_stmt_close(statement) }
    }

    private static func lastError(of statement: UnsafeMutablePointer<MYSQL_STMT>) -> MySQLError {
        MySQLError(code: mysql_stmt_errno(statement), text: String(cString: mysql_stmt_error(statement)))
    }

    private func check(_ result: Int32) throws {
        guard result == 0 else { throw Self.lastError(of: statement) }
    }

    func execute(_ values: [MySQLValue]) throws -> MySQLAnswer {
        precondition(values.count == parameterCount, "a statement has as many parameters as question marks")
        let parameters = Parameters(values)
        if !values.isEmpty, mysql_stmt_bind_param(statement, parameters.binds) != 0 {
            throw Self.lastError(of: statement)
        }
        try check(mysql_stmt_execute(statement))
        guard let columns else { return MySQLAnswer(affected: Int(mysql_stmt_affected_rows(statement))) }
        defer { mysql_stmt_free_result(statement) }
        if mysql_stmt_bind_result(statement, columns.binds) != 0 { throw Self.lastError(of: statement) }
        // The whole answer is taken from the wire first; every statement of ours has a bound.
        try check(mysql_stmt_store_result(statement))
        var answer = MySQLAnswer()
        while true {
            switch mysql_stmt_fetch(statement) {
            // Truncated is as expected: texts and bytes are fetched when their length is known.
            case 0, MYSQL_DATA_TRUNCATED: answer.rows.append(try row(columns))
            case MYSQL_NO_DATA: return answer
            default: throw Self.lastError(of: statement)
            }
        }
    }

    private func row(_ columns: Columns) throws -> [MySQLValue] {
        try (0..<columns.count).map { column in
            if columns.isNull[column] != 0 { return .null }
            if columns.isInteger[column] { return .integer(columns.integers[column]) }
            let length = Int(columns.lengths[column])
            guard length > 0 else { return .bytes([]) }
            return .bytes(
                try [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                    var bind = MYSQL_BIND()
                    bind.buffer_type = MYSQL_TYPE_BLOB
                    bind.buffer = UnsafeMutableRawPointer(buffer.baseAddress)
                    bind.buffer_length = UInt(length)
                    try check(mysql_stmt_fetch_column(statement, &bind, UInt32(column), 0))
                    count = length
                })
        }
    }
}

/// Where the library writes one row: integers themselves, of everything else the length.
private final class Columns {
    let count: Int
    let isInteger: [Bool]
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    let integers: UnsafeMutablePointer<Int64>
    let lengths: UnsafeMutablePointer<UInt>
    let isNull: UnsafeMutablePointer<my_bool>

    init(_ metadata: UnsafeMutablePointer<MYSQL_RES>) {
        count = Int(mysql_num_fields(metadata))
        isInteger = (0..<count).map { column in
            let type = mysql_fetch_field_direct(metadata, UInt32(column)).pointee.type
            return [MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG]
                .contains(type)
        }
        binds = .allocate(capacity: count)
        binds.initialize(repeating: MYSQL_BIND(), count: count)
        integers = .allocate(capacity: count)
        integers.initialize(repeating: 0, count: count)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0, count: count)
        isNull = .allocate(capacity: count)
        isNull.initialize(repeating: 0, count: count)
        for column in 0..<count {
            binds[column].length = lengths + column
            binds[column].is_null = isNull + column
            if isInteger[column] {
                binds[column].buffer_type = MYSQL_TYPE_LONGLONG
                binds[column].buffer = UnsafeMutableRawPointer(integers + column)
                binds[column].buffer_length = UInt(MemoryLayout<Int64>.size)
            } else {
                binds[column].buffer_type = MYSQL_TYPE_BLOB
            }
        }
    }

    deinit {
        binds.deallocate()
        integers.deallocate()
        lengths.deallocate()
        isNull.deallocate()
    }
}

/// The parameters of one execution, at addresses that hold until it is over.
private final class Parameters {
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private var buffers: [UnsafeMutableRawPointer] = []

    init(_ values: [MySQLValue]) {
        binds = .allocate(capacity: max(values.count, 1))
        binds.initialize(repeating: MYSQL_BIND(), count: max(values.count, 1))
        for (place, value) in values.enumerated() {
            switch value {
            case .null:
                binds[place].buffer_type = MYSQL_TYPE_NULL
            case .integer(let number):
                let buffer = keep(MemoryLayout<Int64>.size)
                buffer.storeBytes(of: number, as: Int64.self)
                binds[place].buffer_type = MYSQL_TYPE_LONGLONG
                binds[place].buffer = buffer
            case .text(let text):
                bind(Array(text.utf8), as: MYSQL_TYPE_STRING, at: place)
            case .bytes(let bytes):
                bind(bytes, as: MYSQL_TYPE_BLOB, at: place)
            }
        }
    }

    private func bind(_ bytes: [UInt8], as type: enum_field_types, at place: Int) {
        let buffer = keep(bytes.count)
        buffer.copyMemory(from: bytes, byteCount: bytes.count)
        binds[place].buffer_type = type
        binds[place].buffer = buffer
        binds[place].buffer_length = UInt(bytes.count)
    }

    private func keep(_ count: Int) -> UnsafeMutableRawPointer {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 8)
        buffers.append(buffer)
        return buffer
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
        binds.deallocate()
    }
}
