import Common

/// A body of lines (`application/x-ndjson`): first the push as an object without `to`, then one id a line, as a JSON
/// string or as `{"client":"alice"}`. Empty lines mean nothing. In pieces, cut anywhere.
struct LineBodyParser {
    /// An id with every byte escaped, the object around it, and white space to spare.
    static let lineBytesMax = 2_048

    private let limits: Limits
    private var parameters: PushParameters?
    private(set) var badLines: BadLines
    /// The beginning of the line that has not ended.
    private var open: [UInt8] = []
    /// The line that has not ended is longer than it may be; its bytes are passed over.
    private var isTooLong = false
    private var number = 1

    init(limits: Limits, onBadLine policy: BadLines.Policy) {
        self.limits = limits
        badLines = BadLines(policy)
    }

    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, into targets: inout TargetCollector
    ) throws(WindfireError) {
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if !isTooLong, open.count + part.count > bytesMax {
                guard parameters != nil else { throw tooLongFirstLine }
                isTooLong = true
                open.removeAll()
            }
            if end == bytes.count {
                if !isTooLong { open += part }
                return
            }
            if open.isEmpty {
                try endLine(part, into: &targets)
            } else {
                open += part
                try endOpenLine(into: &targets)
            }
            start = end + 1
        }
    }

    /// - Throws: `invalid_request` when there was no line at all.
    mutating func finish(into targets: inout TargetCollector) throws(WindfireError) -> PushParameters {
        if isTooLong || !open.isEmpty { try endOpenLine(into: &targets) }
        guard let parameters else { throw PushFields.refusal("line 1: the push is missing") }
        return parameters
    }

    private var bytesMax: Int {
        parameters == nil ? limits.payloadBytesMax + 2 * PushFields.fieldBytesMax : Self.lineBytesMax
    }

    private var tooLongFirstLine: WindfireError {
        WindfireError(.payloadTooLarge, "line \(number) is longer than \(bytesMax) bytes")
    }

    private mutating func endOpenLine(into targets: inout TargetCollector) throws(WindfireError) {
        let line = open
        open.removeAll(keepingCapacity: true)
        let result: Result<Void, WindfireError> = line.withUnsafeBytes { bytes in
            do throws(WindfireError) { return .success(try endLine(bytes, into: &targets)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private mutating func endLine(
        _ line: UnsafeRawBufferPointer, into targets: inout TargetCollector
    ) throws(WindfireError) {
        defer {
            number += 1
            isTooLong = false
        }
        if isTooLong {
            let failure = PushFields.refusal("it is longer than \(Self.lineBytesMax) bytes")
            return try badLines.note(number...number, failure)
        }
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return }
        guard parameters != nil else {
            parameters = try PushFields.read(line, in: "line \(number)", limits)
            return
        }
        let client: ClientID
        do throws(WindfireError) {
            client = try Self.client(line)
        } catch {
            return try badLines.note(number...number, error)
        }
        try targets.add(client)
    }

    private static func client(_ line: UnsafeRawBufferPointer) throws(WindfireError) -> ClientID {
        let text: String?
        do throws(JSONFailure) {
            text = try name(line)
        } catch {
            throw WindfireError(.invalidJSON, "it is not valid JSON: it \(error)")
        }
        guard let text else { throw PushFields.refusal("it is neither a string nor {\"client\":…}") }
        return try ClientID(text)
    }

    /// nil when the line is JSON of another form.
    private static func name(_ line: UnsafeRawBufferPointer) throws(JSONFailure) -> String? {
        var scanner = JSONScanner(line)
        var name: String?
        switch try scanner.peekKind() {
        case .string:
            name = try scanner.readString()
        case .object:
            try scanner.enterObject()
            while let key = try scanner.nextKey() {
                guard key == "client", name == nil, try scanner.peekKind() == .string else { return nil }
                name = try scanner.readString()
            }
        default:
            try scanner.skipValue()
        }
        try scanner.finish()
        return name
    }
}
