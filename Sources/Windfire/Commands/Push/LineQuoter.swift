import Common

/// Turns plain lines into lines of JSON strings, piece by piece. White space around an id is not part of it; a line
/// without anything stays one, so that numbers of lines mean the same on both sides (the push stands on a line before).
struct LineQuoter {
    /// Longer than any id may be, so that the server can name the line.
    private static let lineBytesMax = 1_024

    private var open: [UInt8] = []

    /// - Throws: `CommandFailure` for a line that is longer than any text.
    mutating func quote(_ bytes: [UInt8]) throws(CommandFailure) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 5 / 4)
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try append(bytes[start..<end])
            endLine(into: &output)
            start = end + 1
        }
        try append(bytes[start...])
        return output
    }

    /// The file has ended, perhaps without a line end.
    mutating func finish() throws(CommandFailure) -> [UInt8] {
        var output: [UInt8] = []
        if !open.isEmpty { endLine(into: &output) }
        return output
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(CommandFailure) {
        guard open.count + bytes.count <= 64 << 10 else {
            throw CommandFailure("the file has a line of more than 64 KiB: it is no list of ids")
        }
        open += bytes
    }

    private mutating func endLine(into output: inout [UInt8]) {
        let line = open.drop { Self.isSpace($0) }
        let text = line.prefix((line.lastIndex { !Self.isSpace($0) } ?? line.startIndex - 1) + 1 - line.startIndex)
        if !text.isEmpty {
            var writer = JSONWriter(capacity: text.count + 8)
            // Bytes that are no text become a sign that says so, and the server judges the rest.
            writer.string(String(decoding: text.prefix(Self.lineBytesMax), as: UTF8.self))
            output += writer.bytes
        }
        output.append(UInt8(ascii: "\n"))
        open.removeAll(keepingCapacity: true)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
