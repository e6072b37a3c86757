import Common
import NIOCore
import PushCore

/// The head of an HTTP/1.1 request as far as an opening connection needs it: method, path, query, fields. The listener
/// answers or upgrades on the head alone and never reads a body, so this small strict reader (RFC 9112, sections 3 and
/// 5) takes the place of a full HTTP pipeline, which would cost each waiting connection several handlers and buffers.
struct RequestHead: Equatable {
    let method: String
    /// HTTP/1.0 knows no upgrade (RFC 9110, section 7.8).
    let isHTTP10: Bool
    /// Still percent-encoded, without the query.
    let path: String
    /// Still percent-encoded, without `?`; empty when there is none.
    let query: String
    /// Names in lower case, in the order of arrival.
    private(set) var fields: [(name: String, value: String)]

    /// The value of a field that may appear once; nil when it is missing or repeated.
    func single(_ name: String) -> String? {
        let values = fields.filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }

    /// Whether a comma-separated field, in one or several lines, has this token (RFC 9110, section 5.6.1).
    func has(_ token: String, in name: String) -> Bool {
        tokens(of: name).contains { $0.lowercased() == token }
    }

    /// All members of a comma-separated field.
    func tokens(of name: String) -> [Substring] {
        fields.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(\.trimmed) }
    }

    /// The decoded value of a query parameter, or nil when it is missing or not decodable.
    func queryParameter(_ name: String) -> String? {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts[0] == name { return parts.count == 2 ? String(percentEncoded: parts[1]) : "" }
        }
        return nil
    }

    static func == (left: RequestHead, right: RequestHead) -> Bool {
        left.method == right.method && left.isHTTP10 == right.isHTTP10 && left.path == right.path
            && left.query == right.query
            && left.fields.elementsEqual(right.fields, by: ==)
    }
}

extension RequestHead {
    /// Takes a head from the front of `bytes`, up to and with the empty line; nil while it is incomplete.
    /// - Throws: `bad_protocol` when it is not a head, `too_large` when it goes beyond `bytesMax`.
    static func take(from bytes: inout ByteBuffer, bytesMax: Int) throws(WireError) -> RequestHead? {
        let view = bytes.readableBytesView.prefix(bytesMax)
        guard let end = view.endOfHead else {
            guard bytes.readableBytes < bytesMax else { throw WireError(.tooLarge, "request head is too large") }
            return nil
        }
        let text = bytes.readString(length: end) ?? ""
        return try RequestHead(text)
    }

    private init(_ text: String) throws(WireError) {
        let malformed = WireError(.badProtocol, "request head is malformed")
        // Lines end in CRLF, which Swift sees as one character.
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard !lines.isEmpty else { throw malformed }
        let request = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard request.count == 3, request[2] == "HTTP/1.1" || request[2] == "HTTP/1.0",
            request[0].utf8.allSatisfy(\.isTokenByte), request[1].first == "/",
            request[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw malformed }
        let target = request[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        method = String(request[0])
        isHTTP10 = request[2] == "HTTP/1.0"
        path = String(target[0])
        query = target.count == 2 ? String(target[1]) : ""
        fields = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy(\.isTokenByte),
                line[colon...].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { throw malformed }
            fields.append((line[..<colon].lowercased(), String(line[line.index(after: colon)...].trimmed)))
        }
    }
}

extension String {
    /// Percent-decoding (RFC 3986, section 2.1); nil when a sequence is broken or the result is not UTF-8.
    init?(percentEncoded text: some StringProtocol) {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(validating: bytes, as: UTF8.self)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var part = self
        while part.first == " " || part.first == "\t" { part.removeFirst() }
        while part.last == " " || part.last == "\t" { part.removeLast() }
        return part
    }
}

extension UInt8 {
    /// A byte of a method or field name (RFC 9110, section 5.6.2).
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    fileprivate var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Collection<UInt8> {
    /// How many bytes the head has, with the empty line that ends it.
    fileprivate var endOfHead: Int? {
        var matched = 0
        for (offset, byte) in enumerated() {
            switch (matched, byte) {
            case (0, UInt8(ascii: "\r")), (2, UInt8(ascii: "\r")): matched += 1
            case (1, UInt8(ascii: "\n")): matched = 2
            case (3, UInt8(ascii: "\n")): return offset + 1
            default: matched = byte == UInt8(ascii: "\r") ? 1 : 0
            }
        }
        return nil
    }
}
