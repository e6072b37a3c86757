// Strings: RFC 8259, section 7, and the UTF-8 inside of them: RFC 3629, section 4.

extension JSONScanner {
    /// Validates the string at `position`, which must be its opening quote.
    /// - Returns: whether it has escapes, so that its text is not simply its bytes.
    @discardableResult
    mutating func skipString() throws(JSONFailure) -> Bool {
        guard try peek() == UInt8(ascii: "\"") else { throw JSONFailure(.unexpectedByte, at: position) }
        position += 1
        var hasEscapes = false
        while true {
            skipPlainWords()
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0x20...0x7F:
                position += 1
            case 0x80...0xFF:
                try skipMultibyteCharacter(first: byte)
            default:
                throw JSONFailure(.controlCharacter, at: position)
            }
        }
    }

    /// Steps over eight bytes at a time while all of them are printable ASCII without quote and backslash. Each test
    /// leaves the top bit of a byte set where it holds (the classic zero-byte trick, exact enough: a false alarm in a
    /// higher byte only ends the fast path).
    private mutating func skipPlainWords() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let special =
                word | (word &- ones &* 0x20) | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            guard special & tops == 0 else { return }
            position += 8
        }
    }

    /// At a backslash.
    private mutating func skipEscape() throws(JSONFailure) {
        position += 1
        switch try peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            let start = position - 1
            let unit = try skipCodeUnit()
            guard unit & 0xF800 == 0xD800 else { return }
            // A high surrogate, and a low one right behind it.
            guard unit < 0xDC00 else { throw JSONFailure(.loneSurrogate, at: start) }
            guard try peek() == UInt8(ascii: "\\") else { throw JSONFailure(.loneSurrogate, at: start) }
            position += 1
            guard try peek() == UInt8(ascii: "u") else { throw JSONFailure(.loneSurrogate, at: start) }
            guard try skipCodeUnit() & 0xFC00 == 0xDC00 else { throw JSONFailure(.loneSurrogate, at: start) }
        default:
            throw JSONFailure(.invalidEscape, at: position)
        }
    }

    /// At the `u` of `\u`: four hex digits follow.
    private mutating func skipCodeUnit() throws(JSONFailure) -> UInt16 {
        position += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let nibble = Self.nibble(try peek()) else { throw JSONFailure(.invalidEscape, at: position) }
            unit = unit << 4 | UInt16(nibble)
            position += 1
        }
        return unit
    }

    /// The well-formed sequences of RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF.
    private mutating func skipMultibyteCharacter(first: UInt8) throws(JSONFailure) {
        let second: ClosedRange<UInt8>
        let count: Int
        switch first {
        case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
        case 0xE0: (second, count) = (0xA0...0xBF, 3)
        case 0xE1...0xEC, 0xEE, 0xEF: (second, count) = (0x80...0xBF, 3)
        case 0xED: (second, count) = (0x80...0x9F, 3)
        case 0xF0: (second, count) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
        case 0xF4: (second, count) = (0x80...0x8F, 4)
        default: throw JSONFailure(.invalidUTF8, at: position)
        }
        for index in 1..<count {
            guard position + index < bytes.count else { throw JSONFailure(.unexpectedEnd, at: bytes.count) }
            let byte = bytes[position + index]
            guard index == 1 ? second.contains(byte) : byte & 0xC0 == 0x80 else {
                throw JSONFailure(.invalidUTF8, at: position)
            }
        }
        position += count
    }

    /// The text of a string's content that `skipString` has validated and found escapes in.
    func unescaped(_ content: Range<Int>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var index = content.lowerBound
        while index < content.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            let kind = bytes[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = UInt32(codeUnit(at: index))
                index += 4
                if scalar & 0xFC00 == 0xD800 {
                    // `\uXXXX` of the low surrogate: validated to be there.
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + UInt32(codeUnit(at: index + 2) & 0x3FF)
                    index += 6
                }
                Self.append(scalar, to: &text)
            default: text.append(kind)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func codeUnit(at index: Int) -> UInt16 {
        bytes[index..<index + 4].reduce(0) { $0 << 4 | UInt16(Self.nibble($1) ?? 0) }
    }

    private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case ..<0x80:
            text.append(UInt8(scalar))
        case ..<0x800:
            text.append(UInt8(0xC0 | scalar >> 6))
            text.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            text.append(UInt8(0xE0 | scalar >> 12))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        default:
            text.append(UInt8(0xF0 | scalar >> 18))
            text.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
