/// Names one message to its receivers. A live message has a UUIDv7 (RFC 9562, section 5.7); a stored one the id of its
/// inbox entry (`ms-seq`, as Redis Streams write it). Opaque to devices, which only echo it in acknowledgements.
package struct MessageID: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 64

    package let text: String

    package init(unchecked text: String) { self.text = text }

    /// - Throws: `invalid_id` unless the text is 1–64 of `[0-9A-Za-z-]`.
    package init(_ text: String) throws(WindfireError) {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isAllowed, !text.isEmpty, text.utf8.count <= Self.bytesMax else {
            throw WindfireError(.invalidID, "message id is not 1 to \(Self.bytesMax) of [0-9A-Za-z-]")
        }
        self.text = text
    }

    package var description: String { text }
}
