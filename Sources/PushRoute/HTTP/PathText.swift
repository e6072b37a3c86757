import Common

/// A path segment or query value as it was meant: `%XX` undone once (RFC 3986, section 2.1). Ids may hold any character
/// but controls and `|`, so slashes and percent signs arrive encoded.
enum PathText {
    /// - Throws: `invalid_request` when an escape is broken or the bytes are not UTF-8.
    static func decode(_ segment: some StringProtocol) throws(WindfireError) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(segment.utf8.count)
        var rest = segment.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else {
                throw WindfireError(.invalidRequest, "the address has a broken percent escape")
            }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WindfireError(.invalidRequest, "the address is not valid UTF-8")
        }
        return text
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
