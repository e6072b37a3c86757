import Common

/// Finds where the object of a publish ends, piece by piece: it has no terminator of its own. Looks only at braces
/// outside of strings; whether it is JSON in between is asked when it is complete. Each byte is looked at once, however
/// the object is torn.
struct JanusObjectEnd: Equatable {
    enum Finding: Equatable {
        case needsMore
        /// So many bytes of this piece belong to it.
        case ends(Int)
        /// No object begins or goes on like this.
        case broken
    }

    private var depth: UInt8 = 0
    private var isInString = false
    private var isEscaped = false

    mutating func look(at piece: UnsafeRawBufferPointer) -> Finding {
        for (index, byte) in piece.enumerated() {
            // 0x00 ends every frame and is in none. In front of the object it is an empty one.
            guard byte != 0 || depth == 0 else { return .broken }
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "{"):
                guard depth < JSONScanner.depthMax else { return .broken }
                depth += 1
            case UInt8(ascii: "}") where depth > 0:
                depth -= 1
                if depth == 0 { return .ends(index + 1) }
            case 0x00, 0x20, 0x0A, 0x0D, 0x09: break
            case _ where depth == 0: return .broken
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
        }
        return .needsMore
    }
}
