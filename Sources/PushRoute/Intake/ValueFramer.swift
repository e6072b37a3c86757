/// Finds where a JSON value ends that comes in pieces. It looks at quotes and brackets alone: whether what lies between
/// is JSON is for the scanner to say, once the value stands whole in memory. Each byte is looked at once, however the
/// value is cut.
struct ValueFramer {
    /// The scanner refuses deeper ones, so there is no use in collecting them.
    private static let depthMax = 64

    private enum Shape {
        case string, container, plain
    }

    private let shape: Shape
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// - Parameter first: the first byte of the value, which `scan` is shown again.
    init(first: UInt8) {
        switch first {
        case UInt8(ascii: "\""): shape = .string
        case UInt8(ascii: "{"), UInt8(ascii: "["): shape = .container
        default: shape = .plain
        }
    }

    var isString: Bool { shape == .string }

    /// - Returns: where the value ends, or nil when all of the bytes belong to it and it goes on. A number or a word
    ///   ends before the byte that cannot belong to it; anything that cannot be right ends at once, for the scanner to
    ///   refuse.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if isInString {
                index += 1
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if shape == .string { return index }
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                if shape == .plain { return index }
                isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if shape == .plain { return index }
                depth += 1
                if depth > Self.depthMax { return index + 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if shape == .plain { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
                if shape == .plain { return index }
            default: break
            }
            index += 1
        }
        return nil
    }
}
