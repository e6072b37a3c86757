/// Why bytes are not the JSON that was expected, and at which byte. Says nothing of what the bytes were.
package struct JSONFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpectedEnd = "ends too early"
        case unexpectedByte = "has a byte that may not stand here"
        case wrongType = "has a value of another type than expected"
        case invalidUTF8 = "is not valid UTF-8"
        case controlCharacter = "has a control character in a string"
        case invalidEscape = "has an invalid escape in a string"
        case loneSurrogate = "has half of a surrogate pair in a string"
        case invalidNumber = "has an invalid number"
        case tooDeep = "is nested too deeply"
        case trailingBytes = "goes on after its value"
    }

    package let reason: Reason
    /// Counted from 0.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason.rawValue), at byte \(offset)" }
}
