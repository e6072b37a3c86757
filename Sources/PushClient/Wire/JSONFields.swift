import Foundation

/// The top level of a JSON object, by position: the value of each field stays as the bytes that came. So `data` is
/// handed on exactly as it was pushed, numbers and all, and is never decoded by a library that does not know what it
/// means.
struct JSONFields: Sendable {
    private let bytes: [UInt8]
    private var ranges: [String: Range<Int>] = [:]

    /// A frame of this protocol has about ten fields.
    private static let fieldsMax = 64

    /// Nil unless the bytes are one JSON object. What stands inside of nested values is not checked beyond its
    /// brackets.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        var cursor = Cursor(bytes: bytes)
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                guard let name = cursor.value(), bytes[name.lowerBound] == UInt8(ascii: "\""),
                    cursor.take(UInt8(ascii: ":")), let value = cursor.value(), ranges.count < Self.fieldsMax
                else { return nil }
                guard let text = Self.string(bytes[name]) else { return nil }
                ranges[text] = value
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { return nil }
        }
        guard cursor.isAtEnd else { return nil }
    }

    func raw(_ name: String) -> ArraySlice<UInt8>? { ranges[name].map { bytes[$0] } }

    func string(_ name: String) -> String? { raw(name).flatMap(Self.string) }

    func number(_ name: String) -> Double? { raw(name).flatMap { Double(String(decoding: $0, as: UTF8.self)) } }

    func integer(_ name: String) -> Int? { raw(name).flatMap { Int(String(decoding: $0, as: UTF8.self)) } }

    func bool(_ name: String) -> Bool? {
        switch raw(name).map({ String(decoding: $0, as: UTF8.self) }) {
        case "true": true
        case "false": false
        default: nil
        }
    }

    func object<Value: Decodable>(_ name: String, as type: Value.Type) -> Value? {
        raw(name).flatMap { try? JSONDecoder().decode(type, from: Data($0)) }
    }

    /// The elements of an array; nil when the field is none.
    func elements(_ name: String) -> [ArraySlice<UInt8>]? {
        guard let range = ranges[name] else { return nil }
        var cursor = Cursor(bytes: bytes, place: range.lowerBound)
        guard cursor.take(UInt8(ascii: "[")) else { return nil }
        var elements: [ArraySlice<UInt8>] = []
        if cursor.take(UInt8(ascii: "]")) { return elements }
        repeat {
            guard let value = cursor.value() else { return nil }
            elements.append(bytes[value])
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "]")) ? elements : nil
    }

    private static func string(_ quoted: ArraySlice<UInt8>) -> String? {
        guard quoted.count >= 2, quoted.first == UInt8(ascii: "\"") else { return nil }
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return String(validating: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        // Escapes are rare in ids and names: the library may have them.
        return try? JSONDecoder().decode(String.self, from: Data(quoted))
    }
}

/// Walks over values without building them.
private struct Cursor {
    let bytes: [UInt8]
    var place = 0

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return place == bytes.count
        }
    }

    mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    /// The range of the next value; nil when there is none, or its strings and brackets do not close.
    mutating func value() -> Range<Int>? {
        skipSpace()
        let start = place
        guard place < bytes.count else { return nil }
        switch bytes[place] {
        case UInt8(ascii: "\""):
            guard skipString() else { return nil }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard skipNested() else { return nil }
        default:
            while place < bytes.count, !",:]} \t\r\n\"[{".utf8.contains(bytes[place]) { place += 1 }
            guard place > start else { return nil }
        }
        return start..<place
    }

    private mutating func skipString() -> Bool {
        place += 1
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\\"): place += 2
            case UInt8(ascii: "\""):
                place += 1
                return true
            default: place += 1
            }
        }
        return false
    }

    private mutating func skipNested() -> Bool {
        var closers: [UInt8] = []
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"): closers.append(UInt8(ascii: "}"))
            case UInt8(ascii: "["): closers.append(UInt8(ascii: "]"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closers.popLast() == bytes[place] else { return false }
            default: break
            }
            place += 1
            if closers.isEmpty { return true }
        }
        return false
    }
}
