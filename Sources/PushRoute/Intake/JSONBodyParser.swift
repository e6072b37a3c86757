import Common

/// The body `{"to":{"clients":[…]},"data":…,…}`, or `to` with topics, in pieces, cut anywhere, its fields in any order.
/// The brackets and commas around the fields and ids are followed byte by byte; each name, value and id is collected
/// until it stands whole and is then given to the scanner. So there is never more in memory than one value and the ids
/// that were not taken yet.
struct JSONBodyParser {
    private enum Level {
        case body, to
    }

    /// What may come next.
    private enum Place {
        case start
        case name(Level, isFirst: Bool)
        case colon(Level, name: String)
        case value(Level, name: String)
        case separator(Level)
        case element(isFirst: Bool)
        case elementSeparator
        case end
    }

    /// What a value is, while its bytes are collected.
    private enum Role {
        case body
        case name(Level)
        case field(String)
        /// `to.topic` or `to.everyone`.
        case audience(String)
        /// `to` or a list in it, and neither an object nor an array.
        case wrongType(String)
        case element

        func bytesMax(_ fields: PushFields, list: String) -> Int {
            switch self {
            case .field(let name): fields.bytesMax(of: name)
            // Six bytes for one is the longest escape, and the quotes.
            case .element: (list == "topics" ? Topic.bytesMax : ClientID.bytesMax) * 6 + 2
            case .body, .name, .audience, .wrongType: PushFields.fieldBytesMax
            }
        }
    }

    private struct Collected {
        let role: Role
        /// Of its first byte in the body.
        let offset: Int
        var framer: ValueFramer
        /// What came with earlier pieces.
        var bytes: [UInt8] = []
    }

    private var place = Place.start
    private var collected: Collected?
    private var fields: PushFields
    private var audience: AudienceFields
    private var hasTo = false
    /// Elements of `to.clients` or `to.topics` so far.
    private var elements = 0
    /// Of the first byte of this piece in the body.
    private var offset = 0

    init(limits: Limits) {
        fields = PushFields(limits: limits)
        audience = AudienceFields(limits: limits)
    }

    /// `clients` or `topics`, while one of them is read.
    private var list: String { audience.name ?? "clients" }

    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, into targets: inout TargetCollector
    ) throws(WindfireError) {
        var index = 0
        while index < bytes.count {
            if collected != nil {
                index = try collect(bytes, from: index, into: &targets)
                continue
            }
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D:
                index += 1
            case let byte:
                if let role = try step(byte, at: index) {
                    guard Self.canBeginValue(byte) else { throw Self.notJSON(.unexpectedByte, at: offset + index) }
                    collected = Collected(role: role, offset: offset + index, framer: ValueFramer(first: byte))
                } else {
                    index += 1
                }
            }
        }
        offset += bytes.count
    }

    /// - Throws: `invalid_json` when the body is not complete, `invalid_request` when a field is missing.
    mutating func finish() throws(WindfireError) -> PushIntake.Content {
        if let collected {
            try Self.validate(collected.bytes, at: collected.offset)
            // A number at the end of all is whole; the body around it may not be.
            if case .body = collected.role { throw PushFields.refusal("the body has the wrong type") }
        }
        guard case .end = place else { throw Self.notJSON(.unexpectedEnd, at: offset) }
        guard hasTo else { throw PushFields.refusal("to is missing") }
        guard let audience = audience.audience else { return .clients(try fields.finish()) }
        return .publish(try fields.finish(for: audience), dedupeKey: fields.dedupeKey)
    }

    // MARK: Between values

    /// - Returns: what begins with this byte, or nil when the byte is done with.
    private mutating func step(_ byte: UInt8, at index: Int) throws(WindfireError) -> Role? {
        switch (place, byte) {
        case (.start, UInt8(ascii: "{")):
            place = .name(.body, isFirst: true)
        case (.start, _):
            return .body
        case (.name(let level, _), UInt8(ascii: "\"")):
            return .name(level)
        case (.name(let level, isFirst: true), UInt8(ascii: "}")), (.separator(let level), UInt8(ascii: "}")):
            try close(level)
        case (.colon(let level, let name), UInt8(ascii: ":")):
            place = .value(level, name: name)
        case (.value(.body, name: "to"), UInt8(ascii: "{")):
            place = .name(.to, isFirst: true)
        case (.value(.body, name: "to"), _):
            return .wrongType("to")
        case (.value(.body, let name), _):
            return .field(name)
        case (.value(.to, name: "topic"), _):
            return .audience("topic")
        case (.value(.to, name: "everyone"), _):
            return .audience("everyone")
        case (.value(.to, _), UInt8(ascii: "[")):
            place = .element(isFirst: true)
        case (.value(.to, _), _):
            return .wrongType("to.\(list)")
        case (.separator(let level), UInt8(ascii: ",")):
            place = .name(level, isFirst: false)
        case (.element(isFirst: true), UInt8(ascii: "]")):
            throw PushFields.refusal("to.\(list) is empty")
        case (.element, _):
            return .element
        case (.elementSeparator, UInt8(ascii: ",")):
            place = .element(isFirst: false)
        case (.elementSeparator, UInt8(ascii: "]")):
            place = .separator(.to)
        case (.end, _):
            throw Self.notJSON(.trailingBytes, at: offset + index)
        default:
            throw Self.notJSON(.unexpectedByte, at: offset + index)
        }
        return nil
    }

    private mutating func close(_ level: Level) throws(WindfireError) {
        switch level {
        case .body: place = .end
        case .to:
            guard audience.name != nil else { throw PushFields.refusal("to.clients is missing") }
            place = .separator(.body)
        }
    }

    private static func canBeginValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "-"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    // MARK: Values

    /// - Returns: where the piece goes on.
    private mutating func collect(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into targets: inout TargetCollector
    ) throws(WindfireError) -> Int {
        guard var value = collected else { return start }
        let end = value.framer.scan(bytes, from: start)
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
        guard value.bytes.count + part.count <= value.role.bytesMax(fields, list: list) else {
            throw tooLong(value.role)
        }
        guard let end else {
            // Taken out first, so that there is one owner and the bytes are appended in place.
            collected = nil
            value.bytes += part
            collected = value
            return bytes.count
        }
        collected = nil
        if value.bytes.isEmpty {
            try take(part, value, into: &targets)
        } else {
            value.bytes += part
            let whole = value.bytes
            let result: Result<Void, WindfireError> = whole.withUnsafeBytes { bytes in
                do throws(WindfireError) { return .success(try take(bytes, value, into: &targets)) } catch {
                    return .failure(error)
                }
            }
            try result.get()
        }
        return end
    }

    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ value: Collected, into targets: inout TargetCollector
    ) throws(WindfireError) {
        switch value.role {
        case .element:
            try takeElement(bytes, at: value.offset, into: &targets)
        case .name(let level):
            try takeName(bytes, at: value.offset, level)
        case .field(let name):
            try Self.validate(bytes, at: value.offset)
            try fields.set(name, to: bytes)
            place = .separator(.body)
        case .audience:
            try Self.validate(bytes, at: value.offset)
            try audience.set(bytes)
            place = .separator(.to)
        case .body:
            try Self.validate(bytes, at: value.offset)
            throw PushFields.refusal("the body has the wrong type")
        case .wrongType(let field):
            try Self.validate(bytes, at: value.offset)
            throw PushFields.refusal("\(field) has the wrong type")
        }
    }

    private mutating func takeElement(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, into targets: inout TargetCollector
    ) throws(WindfireError) {
        var scanner = JSONScanner(bytes)
        let text: String
        do throws(JSONFailure) {
            text = try scanner.readString()
        } catch {
            guard error.reason == .wrongType else { throw Self.notJSON(error.reason, at: offset + error.offset) }
            try Self.validate(bytes, at: offset)
            throw PushFields.refusal("to.\(list)[\(elements)] has the wrong type")
        }
        if audience.name == "topics" { try audience.add(text) } else { try targets.add(try client(text)) }
        elements += 1
        place = .elementSeparator
    }

    private func client(_ text: String) throws(WindfireError) -> ClientID {
        do throws(WindfireError) { return try ClientID(text) } catch {
            throw WindfireError(error.code, "to.clients[\(elements)]: \(error.message)")
        }
    }

    private mutating func takeName(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, _ level: Level
    ) throws(WindfireError) {
        var scanner = JSONScanner(bytes)
        let name: String
        do throws(JSONFailure) { name = try scanner.readString() } catch {
            throw Self.notJSON(error.reason, at: offset + error.offset)
        }
        switch level {
        case .body:
            try fields.begin(name)
            if name == "to" { hasTo = true }
        case .to:
            try audience.begin(name)
        }
        place = .colon(level, name: name)
    }

    // MARK: Failures

    private func tooLong(_ role: Role) -> WindfireError {
        switch role {
        case .field(let name): fields.tooLong(name)
        case .element where collected?.framer.isString == true:
            list == "topics"
                ? WindfireError(
                    .invalidTopic, "to.topics[\(elements)]: a topic has at most \(Topic.bytesMax) bytes")
                : WindfireError(
                    .invalidID, "to.clients[\(elements)]: client id is longer than \(ClientID.bytesMax) bytes")
        case .element: PushFields.refusal("to.\(list)[\(elements)] has the wrong type")
        case .audience(let name): PushFields.refusal("to.\(name) is too long")
        case .name: PushFields.refusal("there is a field with a name of more than \(PushFields.fieldBytesMax) bytes")
        case .body: PushFields.refusal("the body has the wrong type")
        case .wrongType(let field): PushFields.refusal("\(field) has the wrong type")
        }
    }

    private static func validate(_ bytes: [UInt8], at offset: Int) throws(WindfireError) {
        let failure = bytes.withUnsafeBytes(failure(of:))
        if let failure { throw notJSON(failure.reason, at: offset + failure.offset) }
    }

    private static func validate(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(WindfireError) {
        if let failure = failure(of: bytes) { throw notJSON(failure.reason, at: offset + failure.offset) }
    }

    private static func failure(of bytes: UnsafeRawBufferPointer) -> JSONFailure? {
        var scanner = JSONScanner(bytes)
        do throws(JSONFailure) {
            try scanner.skipValue()
            try scanner.finish()
            return nil
        } catch {
            return error
        }
    }

    private static func notJSON(_ reason: JSONFailure.Reason, at offset: Int) -> WindfireError {
        WindfireError(.invalidJSON, "the body is not valid JSON: it \(JSONFailure(reason, at: offset))")
    }
}
