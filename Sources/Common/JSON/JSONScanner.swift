// Reads JSON text (RFC 8259) in one pass over its bytes, without building a tree: callers walk objects and arrays, take
// the values they know, and get everything else as the range of bytes it occupies, validated.
//
// That is what a push needs. The payload must reach devices as the exact bytes the pusher wrote, so it is sliced out
// and never decoded; and a list of 100,000 ids should cost the ids and nothing more.
//
//     var scanner = JSONScanner(bytes)
//     try scanner.enterObject()
//     while let key = try scanner.nextKey() {
//         switch key {
//         case "op": operation = try scanner.readString()
//         default: try scanner.skipValue()
//         }
//     }
//     try scanner.finish()
//
// Stricter than the RFC demands in two places where it leaves a choice: a lone surrogate (`"\ud800"`) is refused, as
// RFC 7493 (I-JSON), section 2.1, recommends, since half the readers cannot represent it; and nesting is bounded.

/// - Note: the buffer must outlive the scanner. Nothing is read outside of it, whatever the bytes are.
package struct JSONScanner {
    /// Arrays and objects inside one another: far beyond honest payloads, and one bit of `kinds` each.
    package static let depthMax = 64

    let bytes: UnsafeRawBufferPointer
    /// Index of the next byte to read.
    package internal(set) var position = 0
    /// How many arrays and objects are open.
    package private(set) var depth = 0
    /// One bit per open container, innermost lowest: 1 for an object.
    private var kinds: UInt64 = 0
    /// Whether the innermost container was entered and nothing of it read yet.
    private var isAtFirst = false

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How much has not been read yet.
    package var bytesLeft: Int { bytes.count - position }

    // MARK: Looking ahead

    package enum Kind: Hashable, Sendable {
        case object, array, string, number, boolean, null
    }

    /// What the next value is, by its first byte.
    package mutating func peekKind() throws(JSONFailure) -> Kind {
        skipWhitespace()
        switch try peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: throw JSONFailure(.unexpectedByte, at: position)
        }
    }

    // MARK: Objects and arrays

    package mutating func enterObject() throws(JSONFailure) {
        guard try peekKind() == .object else { throw JSONFailure(.wrongType, at: position) }
        try open(asObject: true)
    }

    package mutating func enterArray() throws(JSONFailure) {
        guard try peekKind() == .array else { throw JSONFailure(.wrongType, at: position) }
        try open(asObject: false)
    }

    /// The next member's name; its value must be read or skipped before the next call. Nil when the object has ended.
    /// Names may repeat (RFC 8259, section 4): whether that is an error is the caller's to say.
    package mutating func nextKey() throws(JSONFailure) -> String? {
        precondition(depth > 0 && kinds & 1 == 1, "keys are read inside of an object")
        guard try hasAnother(before: UInt8(ascii: "}")) else { return nil }
        guard try peek() == UInt8(ascii: "\"") else { throw JSONFailure(.unexpectedByte, at: position) }
        let key = try readString()
        try skipColon()
        return key
    }

    /// Whether another element follows; it must be read or skipped before the next call. False when the array has
    /// ended.
    package mutating func nextElement() throws(JSONFailure) -> Bool {
        precondition(depth > 0 && kinds & 1 == 0, "elements are read inside of an array")
        return try hasAnother(before: UInt8(ascii: "]"))
    }

    // MARK: Values

    /// Validates the next value, whatever it is.
    /// - Returns: its bytes, without white space around it.
    @discardableResult
    package mutating func skipValue() throws(JSONFailure) -> Range<Int> {
        skipWhitespace()
        let start = position
        let outside = depth
        // Not recursive: the depth of the input never becomes depth of our stack.
        while true {
            var isInside = true
            switch try peekKind() {
            case .object:
                try open(asObject: true)
            case .array:
                try open(asObject: false)
            case .string:
                try skipString()
                isInside = depth > outside
            case .number:
                try skipNumber()
                isInside = depth > outside
            case .boolean:
                try skipWord(bytes[position] == UInt8(ascii: "t") ? "true" : "false")
                isInside = depth > outside
            case .null:
                try skipWord("null")
                isInside = depth > outside
            }
            guard isInside else { return start..<position }
            // Up through every container that ends here, then on to the next value.
            while true {
                if kinds & 1 == 1 {
                    if try hasAnother(before: UInt8(ascii: "}")) {
                        try skipString()
                        try skipColon()
                        break
                    }
                } else if try hasAnother(before: UInt8(ascii: "]")) {
                    break
                }
                if depth == outside { return start..<position }
            }
        }
    }

    package mutating func readBoolean() throws(JSONFailure) -> Bool {
        guard try peekKind() == .boolean else { throw JSONFailure(.wrongType, at: position) }
        let isTrue = bytes[position] == UInt8(ascii: "t")
        try skipWord(isTrue ? "true" : "false")
        return isTrue
    }

    /// - Returns: nil when the number is not a whole one, written without fraction and exponent, that fits.
    package mutating func readInteger() throws(JSONFailure) -> Int? {
        guard try peekKind() == .number else { throw JSONFailure(.wrongType, at: position) }
        let start = position
        try skipNumber()
        return Int(text(in: start..<position))
    }

    package mutating func readString() throws(JSONFailure) -> String {
        guard try peekKind() == .string else { throw JSONFailure(.wrongType, at: position) }
        let start = position
        let hasEscapes = try skipString()
        let content = start + 1..<position - 1
        return hasEscapes ? unescaped(content) : text(in: content)
    }

    /// Nothing but white space may follow.
    package mutating func finish() throws(JSONFailure) {
        precondition(depth == 0, "a text is finished outside of its value")
        skipWhitespace()
        guard position == bytes.count else { throw JSONFailure(.trailingBytes, at: position) }
    }

    /// The bytes of a range as text; meant for ranges that this scanner returned.
    package func text(in range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// A copy of the bytes of a range that this scanner returned.
    package func bytes(in range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    // MARK: Steps

    func peek() throws(JSONFailure) -> UInt8 {
        guard position < bytes.count else { throw JSONFailure(.unexpectedEnd, at: position) }
        return bytes[position]
    }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func open(asObject: Bool) throws(JSONFailure) {
        guard depth < Self.depthMax else { throw JSONFailure(.tooDeep, at: position) }
        depth += 1
        kinds = kinds << 1 | (asObject ? 1 : 0)
        isAtFirst = true
        position += 1
    }

    /// Steps over the comma, or out of the container at its end.
    private mutating func hasAnother(before end: UInt8) throws(JSONFailure) -> Bool {
        skipWhitespace()
        let byte = try peek()
        if byte == end {
            position += 1
            depth -= 1
            kinds >>= 1
            isAtFirst = false
            return false
        }
        if isAtFirst {
            isAtFirst = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw JSONFailure(.unexpectedByte, at: position) }
            position += 1
            skipWhitespace()
            // `[1,]` and `{"a":1,}`: a comma promises more.
            guard try peek() != end else { throw JSONFailure(.unexpectedByte, at: position) }
        }
        return true
    }

    private mutating func skipColon() throws(JSONFailure) {
        skipWhitespace()
        guard try peek() == UInt8(ascii: ":") else { throw JSONFailure(.unexpectedByte, at: position) }
        position += 1
        skipWhitespace()
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONFailure) {
        for index in 0..<word.utf8CodeUnitCount {
            guard try peek() == word.utf8Start[index] else { throw JSONFailure(.unexpectedByte, at: position) }
            position += 1
        }
    }

    /// RFC 8259, section 6: `[ minus ] int [ frac ] [ exp ]`, no leading zeros.
    private mutating func skipNumber() throws(JSONFailure) {
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if try peek() == UInt8(ascii: "0") {
            position += 1
            if position < bytes.count, isDigit(bytes[position]) { throw JSONFailure(.invalidNumber, at: position) }
        } else {
            try skipDigits()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try peek()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
    }

    /// At least one.
    private mutating func skipDigits() throws(JSONFailure) {
        guard isDigit(try peek()) else { throw JSONFailure(.invalidNumber, at: position) }
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
