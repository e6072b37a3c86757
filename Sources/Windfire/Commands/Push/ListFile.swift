import Foundation
import NIOCore

/// A file of ids as the body of a push, read while it is sent: a list may be longer than memory. Tables and NDJSON go
/// as they are; a list of plain lines is sent as NDJSON.
struct ListFile: AsyncSequence, Sendable {
    enum Form: Equatable, Sendable {
        case csv, ndjson, plain
    }

    private static let pieceBytes = 64 << 10

    private let handle: FileHandle
    let form: Form
    /// What comes before the list.
    private let head: [UInt8]
    /// Of the call, after `/v1/push`.
    let query: String
    let contentType: String

    /// - Parameter path: `-` for standard input.
    /// - Throws: `CommandFailure` when it cannot be opened, or the push does not fit beside a table.
    init(path: String, fields: PushBody, skipsBadLines: Bool) throws {
        form = Self.form(of: path)
        guard let handle = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("the file of ids cannot be read")
        }
        self.handle = handle
        var query = skipsBadLines ? ["on_bad_line=skip"] : []
        switch form {
        case .csv:
            let push = Self.escaped(fields.push)
            guard push.utf8.count <= 12 << 10 else {
                throw CommandFailure("--data is too long to go beside a table; use a list of lines or NDJSON")
            }
            query.append("push=" + push)
            head = []
            contentType = "text/csv"
        case .ndjson, .plain:
            head = fields.push + [UInt8(ascii: "\n")]
            contentType = "application/x-ndjson"
        }
        self.query = query.isEmpty ? "" : "?" + query.joined(separator: "&")
    }

    static func form(of path: String) -> Form {
        let path = path.lowercased()
        if path.hasSuffix(".csv") { return .csv }
        return path.hasSuffix(".ndjson") || path.hasSuffix(".jsonl") ? .ndjson : .plain
    }

    /// Percent-encoded but for what RFC 3986, section 2.3, calls unreserved.
    private static func escaped(_ bytes: [UInt8]) -> String {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return bytes.reduce(into: "") { text, byte in
            if unreserved.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(self) }

    struct Iterator: AsyncIteratorProtocol {
        private let handle: FileHandle
        private var head: [UInt8]
        private var quoter: LineQuoter?
        private var isAtEnd = false

        fileprivate init(_ file: ListFile) {
            handle = file.handle
            head = file.head
            quoter = file.form == .plain ? LineQuoter() : nil
        }

        mutating func next() async throws -> ByteBuffer? {
            if !head.isEmpty {
                defer { head = [] }
                return ByteBuffer(bytes: head)
            }
            while !isAtEnd {
                guard let bytes = try handle.read(upToCount: ListFile.pieceBytes), !bytes.isEmpty else {
                    isAtEnd = true
                    guard let rest = try quoter?.finish(), !rest.isEmpty else { return nil }
                    return ByteBuffer(bytes: rest)
                }
                guard quoter != nil else { return ByteBuffer(bytes: bytes) }
                if let quoted = try quoter?.quote(Array(bytes)), !quoted.isEmpty { return ByteBuffer(bytes: quoted) }
            }
            return nil
        }
    }
}
