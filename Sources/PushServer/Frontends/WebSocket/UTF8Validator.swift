/// Checks UTF-8 as it arrives (RFC 3629, section 4), so that a text message fails at its first bad byte and not at its
/// end: the RFC 6455 suites call that failing fast. Four bytes of state.
struct UTF8Validator: Equatable {
    /// Continuation bytes still owed.
    private var owed: UInt8 = 0
    /// What the next continuation byte may be: narrower after E0, ED, F0 and F4.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    /// Whether the text may end here.
    var isComplete: Bool { owed == 0 }

    /// - Returns: false as soon as the bytes cannot be the beginning of valid text.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < bytes.count {
            if owed == 0, place + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                place += 8
                continue
            }
            guard accept(bytes[place]) else { return false }
            place += 1
        }
        return true
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        if owed > 0 {
            guard byte >= low, byte <= high else { return false }
            owed -= 1
            low = 0x80
            high = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: owed = 1
        case 0xE0: (owed, low) = (2, 0xA0)
        case 0xED: (owed, high) = (2, 0x9F)
        case 0xE1...0xEF: owed = 2
        case 0xF0: (owed, low) = (3, 0x90)
        case 0xF4: (owed, high) = (3, 0x8F)
        case 0xF1...0xF3: owed = 3
        default: return false
        }
        return true
    }
}
