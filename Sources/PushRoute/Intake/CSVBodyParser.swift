import Common

/// A table of ids (`text/csv`, RFC 4180) in pieces, cut anywhere. The ids stand in the first column, or in the column
/// that the first line calls `client`. Fields may be quoted, and then hold commas, doubled quotes and line ends. A mark
/// of UTF-8 at the beginning (EF BB BF), as spreadsheets write it, is passed over; empty lines mean nothing.
struct CSVBodyParser {
    /// Of one record, so that a quote that is never closed does not swallow the list. Where it does swallow some, every
    /// line of them counts as bad.
    static let recordBytesMax = 8_192

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private enum State {
        case fieldStart, plain, quoted
        /// A quote inside of quotes: the end of the field, or the first of two.
        case quote
        /// The carriage return after a quoted field.
        case quoteReturn
        /// To the end of a line that is no record.
        case passing
    }

    private(set) var badLines: BadLines
    private var state = State.fieldStart
    private var marked = 0
    /// The line being read, and the one on which its record began; from 1.
    private var line = 1
    private var recordLine = 1
    private var recordBytes = 0
    /// The field being read, and its place in the record.
    private var field: [UInt8] = []
    private var fieldIndex = 0
    /// The field in the column of ids, once it has been read.
    private var id: [UInt8]?
    /// Fields of the first record, until it is known whether it is a header.
    private var header: [[UInt8]]? = []
    private var column = 0

    init(onBadLine policy: BadLines.Policy) { badLines = BadLines(policy) }

    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, into targets: inout TargetCollector
    ) throws(WindfireError) {
        for byte in bytes {
            if marked < Self.mark.count {
                if byte == Self.mark[marked] {
                    marked += 1
                    continue
                }
                // Not a mark after all.
                let passed = marked
                marked = Self.mark.count
                for byte in Self.mark.prefix(passed) { try take(byte, into: &targets) }
            }
            try take(byte, into: &targets)
        }
    }

    mutating func finish(into targets: inout TargetCollector) throws(WindfireError) {
        switch state {
        case .passing: return
        case .quoted: try malformed("a quote is not closed")
        case .fieldStart where recordBytes == 0: return
        case .fieldStart, .plain, .quote, .quoteReturn: try endRecord(into: &targets)
        }
    }

    private mutating func take(_ byte: UInt8, into targets: inout TargetCollector) throws(WindfireError) {
        recordBytes += 1
        switch (state, byte) {
        case (.passing, UInt8(ascii: "\n")):
            line += 1
            beginRecord()
        case (.passing, _):
            break
        case _ where recordBytes > Self.recordBytesMax:
            try malformed("it is longer than \(Self.recordBytesMax) bytes")
            if byte == UInt8(ascii: "\n") {
                line += 1
                beginRecord()
            }
        case (.fieldStart, UInt8(ascii: "\"")):
            state = .quoted
        case (.quoted, UInt8(ascii: "\"")):
            state = .quote
        case (.quoted, _):
            if byte == UInt8(ascii: "\n") { line += 1 }
            field.append(byte)
        case (.quote, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (.quote, UInt8(ascii: "\r")):
            state = .quoteReturn
        case (_, UInt8(ascii: "\n")):
            try endRecord(into: &targets)
            line += 1
            beginRecord()
        case (.fieldStart, UInt8(ascii: ",")), (.plain, UInt8(ascii: ",")), (.quote, UInt8(ascii: ",")):
            endField()
        case (.plain, UInt8(ascii: "\"")):
            try malformed("there is a quote in a field that is not quoted")
        case (.quote, _), (.quoteReturn, _):
            try malformed("a quoted field goes on after its quotes")
        case (.fieldStart, _), (.plain, _):
            state = .plain
            field.append(byte)
        }
    }

    private mutating func endField() {
        if header != nil {
            header?.append(field)
        } else if fieldIndex == column {
            id = field
        }
        field.removeAll(keepingCapacity: true)
        fieldIndex += 1
        state = .fieldStart
    }

    private mutating func endRecord(into targets: inout TargetCollector) throws(WindfireError) {
        if state == .plain, field.last == UInt8(ascii: "\r") { field.removeLast() }
        let isEmpty = fieldIndex == 0 && field.isEmpty && state != .quote && state != .quoteReturn
        endField()
        guard !isEmpty else {
            if header != nil { header = [] }
            return
        }
        if let first = header {
            header = nil
            if let named = first.firstIndex(of: Array("client".utf8)) {
                column = named
                return
            }
            id = first.first
        }
        let client: ClientID
        do throws(WindfireError) {
            client = try self.client()
        } catch {
            return try badLines.note(recordLine...line, error)
        }
        try targets.add(client)
    }

    private func client() throws(WindfireError) -> ClientID {
        guard let id else { throw PushFields.refusal("it has no column \(column + 1)") }
        guard let text = String(validating: id, as: UTF8.self) else {
            throw WindfireError(.invalidID, "client id is not valid UTF-8")
        }
        return try ClientID(text)
    }

    private mutating func malformed(_ what: String) throws(WindfireError) {
        state = .passing
        // A first line that cannot be read is no header.
        header = nil
        try badLines.note(recordLine...line, PushFields.refusal(what))
    }

    private mutating func beginRecord() {
        state = .fieldStart
        recordLine = line
        recordBytes = 0
        field.removeAll(keepingCapacity: true)
        fieldIndex = 0
        id = nil
    }
}
