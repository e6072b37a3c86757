import Common
import NIOCore

/// JSON objects as Janus has them: known members in a known order, and no others.
enum JanusObject {
    /// The values as they stand there; nil when the bytes are anything else.
    static func members(_ names: String..., of json: ByteBuffer) -> [ByteBuffer]? {
        let ranges = json.withUnsafeReadableBytes { try? values(names, JSONScanner($0)) }
        return ranges?.compactMap { json.getSlice(at: json.readerIndex + $0.lowerBound, length: $0.count) }
    }

    /// The content of a JSON string; nil for other values.
    static func text(of json: ByteBuffer) -> String? {
        json.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            return try? scanner.readString()
        }
    }

    private static func values(_ names: [String], _ given: JSONScanner) throws(JSONFailure) -> [Range<Int>]? {
        var scanner = given
        var ranges: [Range<Int>] = []
        try scanner.enterObject()
        while let key = try scanner.nextKey() {
            guard ranges.count < names.count, key == names[ranges.count] else { return nil }
            ranges.append(try scanner.skipValue())
        }
        try scanner.finish()
        return ranges.count == names.count ? ranges : nil
    }
}
