// The names that travel between the parts. Each is a type, checked in `init`, so that a value that exists is a value
// that is valid: no later layer has to look again, and no signature takes a bare `String` for one.

/// Who is pushed to: 1–128 bytes of UTF-8, no control characters, no `|` (it separates fields in Redis).
package struct ClientID: Identifier {
    package static let kind = "client"
    package static let bytesMax = 128
    package let text: String
    package init(unchecked text: String) { self.text = text }
}

/// One of a client's devices: 1–64 bytes, the same alphabet as `ClientID`.
package struct DeviceID: Identifier {
    package static let kind = "device"
    package static let bytesMax = 64
    /// What a device is called that does not name itself.
    package static let `default` = DeviceID(unchecked: "default")
    package let text: String
    package init(unchecked text: String) { self.text = text }
}

/// The configured name of a process: 1–64 of `[A-Za-z0-9._-]`, safe as a ZooKeeper path component.
package struct NodeID: Identifier {
    package static let kind = "node"
    package static let bytesMax = 64
    package let text: String
    package init(unchecked text: String) { self.text = text }

    package static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// `.` and `..` are not names: ZooKeeper refuses them as path components.
    package static func allows(whole text: String) -> Bool { text != "." && text != ".." }
}

/// A checked name. Conformers state their alphabet and length; comparison and hashing are those of the text.
package protocol Identifier: Hashable, Sendable, Codable, CustomStringConvertible, Comparable {
    /// What an error message calls it.
    static var kind: String { get }
    /// The most bytes of UTF-8 a value may have. The least is one.
    static var bytesMax: Int { get }
    /// Whether a byte may stand in a value. Bytes of multi-byte characters are asked too.
    static func allows(_ byte: UInt8) -> Bool
    /// A last look at the whole value.
    static func allows(whole text: String) -> Bool
    var text: String { get }
    /// For constants and for text that was checked before, such as what our own store returns.
    init(unchecked text: String)
}

extension Identifier {
    package static func allows(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "|") }
    package static func allows(whole text: String) -> Bool { true }

    /// - Throws: `invalid_id` with the rule that was broken, never with the offending bytes.
    package init(_ text: String) throws(WindfireError) {
        var count = 0
        var previous: UInt8 = 0
        for byte in text.utf8 {
            count += 1
            // U+0080–U+009F, the C1 controls, are C2 80 – C2 9F in UTF-8.
            let isC1Control = previous == 0xC2 && byte < 0xA0
            guard count <= Self.bytesMax else {
                throw WindfireError(.invalidID, "\(Self.kind) id is longer than \(Self.bytesMax) bytes")
            }
            guard Self.allows(byte), !isC1Control else {
                throw WindfireError(.invalidID, "\(Self.kind) id has a character that is not allowed")
            }
            previous = byte
        }
        guard count > 0 else { throw WindfireError(.invalidID, "\(Self.kind) id is empty") }
        guard Self.allows(whole: text) else { throw WindfireError(.invalidID, "\(Self.kind) id is not allowed") }
        self.init(unchecked: text)
    }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
