#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What topics and patterns have in common.
enum TopicText {
    static func isWildcard(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") }

    /// - Throws: `invalid_topic` unless it has 1–256 bytes and no control characters.
    static func check(_ text: String, called kind: String) throws(WindfireError) {
        var count = 0
        var previous: UInt8 = 0
        for byte in text.utf8 {
            count += 1
            guard count <= Topic.bytesMax else {
                throw WindfireError(.invalidTopic, "a \(kind) has at most \(Topic.bytesMax) bytes")
            }
            // U+0080–U+009F, the C1 controls, are C2 80 – C2 9F in UTF-8.
            guard byte >= 0x20, byte != 0x7F, !(previous == 0xC2 && byte < 0xA0) else {
                throw WindfireError(.invalidTopic, "a \(kind) has no control characters")
            }
            previous = byte
        }
        guard count > 0 else { throw WindfireError(.invalidTopic, "a \(kind) is not empty") }
    }

    /// Both are native strings nearly always, and then this is one comparison of memory.
    static func areSame<Text: StringProtocol>(_ left: Text, _ right: Text) -> Bool {
        let isSame = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                guard left.count == right.count else { return false }
                guard let one = left.baseAddress, let other = right.baseAddress else { return true }
                return memcmp(one, other, left.count) == 0
            }
        }
        return (isSame ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }

    static func hash(_ text: some StringProtocol, into hasher: inout Hasher) {
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isDone == nil { for byte in text.utf8 { hasher.combine(byte) } }
        // So that a text and one that it begins with differ also when more is hashed after them.
        hasher.combine(0xFF as UInt8)
    }
}
