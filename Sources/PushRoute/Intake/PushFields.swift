import Common

/// The fields of a push as they come in, in any order, each checked: what is not known, not allowed or given twice is
/// refused by name, because a push with a misspelt field that goes out anyway cannot be called back. Messages never
/// repeat raw input.
struct PushFields {
    /// 7 days, as long as an inbox keeps anything.
    static let timeToLiveSecondsMax = 604_800
    static let keyBytesMax = 128
    static let ratePerSecondMax = 1_000_000
    /// A field other than `data`, as it is written: a key of 128 bytes with every byte escaped fits several times.
    static let fieldBytesMax = 4_096

    private let limits: Limits
    private var data: [UInt8]?
    /// The data of several messages.
    private var batch: [[UInt8]]?
    private var parameters = PushParameters(data: [])
    private var seen: Set<String> = []

    init(limits: Limits) { self.limits = limits }

    /// A field's name has been read.
    /// - Throws: `invalid_request` when there is no such field, or it was there before.
    mutating func begin(_ name: String) throws(WindfireError) {
        guard seen.insert(name).inserted else { throw Self.refusal("\(Self.shown(name)) is given twice") }
        switch name {
        case "to", "data", "batch", "mode", "ttl_s", "collapse_key", "dedupe_key", "rate_per_s", "async": return
        default: throw Self.refusal("there is no field \(Self.shown(name))")
        }
    }

    /// How many bytes the value of a field may have, as it is written.
    func bytesMax(of name: String) -> Int {
        switch name {
        case "data": limits.payloadBytesMax
        // More could never be published at once.
        case "batch": limits.publishBytesMax
        default: Self.fieldBytesMax
        }
    }

    /// The value of a field is longer than that.
    func tooLong(_ name: String) -> WindfireError {
        let text = "\(name) is longer than \(bytesMax(of: name)) bytes"
        return name == "data" || name == "batch" ? WindfireError(.payloadTooLarge, text) : Self.refusal(text)
    }

    /// - Parameter value: one JSON value, validated, without white space around it.
    mutating func set(_ name: String, to value: UnsafeRawBufferPointer) throws(WindfireError) {
        switch name {
        case "data":
            guard value.count <= limits.payloadBytesMax else { throw tooLong(name) }
            data = Array(value)
        case "batch":
            batch = try readBatch(value)
        case "mode":
            guard let mode = PushParameters.Mode(rawValue: try Self.text(name, value)) else {
                throw Self.refusal("mode is neither live nor stored")
            }
            parameters.mode = mode
        case "ttl_s":
            parameters.timeToLive = .seconds(try Self.number(name, value, 1...Self.timeToLiveSecondsMax))
        case "rate_per_s":
            parameters.ratePerSecond = try Self.number(name, value, 1...Self.ratePerSecondMax)
        case "collapse_key":
            parameters.collapseKey = try Self.key(name, value)
        case "dedupe_key":
            parameters.dedupeKey = try Self.key(name, value)
        default:
            parameters.isAsync = try Self.read(name, value) { (scanner) throws(JSONFailure) in
                try scanner.readBoolean()
            }
        }
    }

    /// - Throws: `payload_too_large` for too many messages or one that is too long.
    private func readBatch(_ value: UnsafeRawBufferPointer) throws(WindfireError) -> [[UInt8]] {
        let countMax = limits.messagesPerPublishMax
        let ranges = try Self.read("batch", value) { (scanner) throws(JSONFailure) in
            var ranges: [Range<Int>] = []
            try scanner.enterArray()
            while try scanner.nextElement() {
                let range = try scanner.skipValue()
                if ranges.count <= countMax { ranges.append(range) }
            }
            return ranges
        }
        guard !ranges.isEmpty else { throw Self.refusal("batch is empty") }
        guard ranges.count <= countMax else {
            throw WindfireError(.payloadTooLarge, "batch has more than \(countMax) messages")
        }
        for (index, range) in ranges.enumerated() where range.count > limits.payloadBytesMax {
            throw WindfireError(
                .payloadTooLarge, "batch[\(index)] is longer than \(limits.payloadBytesMax) bytes")
        }
        return ranges.map { Array(value[$0]) }
    }

    /// All fields of a push to clients have been read.
    /// - Throws: `invalid_request` when `data` is missing.
    func finish() throws(WindfireError) -> PushParameters {
        guard batch == nil else {
            throw Self.refusal("batch is for topics and everyone; clients get one message a push")
        }
        guard let data else { throw Self.refusal("data is missing") }
        var parameters = parameters
        parameters.data = data
        return parameters
    }

    /// All fields of a publish have been read.
    /// - Throws: `invalid_request` when there is neither `data` nor `batch`, or both; `not_supported` for what goes
    ///   with clients alone.
    func finish(for audience: PublishCall.Audience) throws(WindfireError) -> PublishCall {
        func unsupported(_ text: String) -> WindfireError { WindfireError(.notSupported, text) }
        guard parameters.mode == .live else {
            throw unsupported("mode stored is for clients; what a topic keeps is set by topics.rules")
        }
        guard parameters.timeToLive == nil else { throw unsupported("ttl_s is for clients") }
        guard parameters.collapseKey == nil else { throw unsupported("collapse_key is for clients") }
        guard !parameters.isAsync else { throw unsupported("async is for clients") }
        var audience = audience
        if let rate = parameters.ratePerSecond {
            guard case .everyone = audience else { throw unsupported("rate_per_s is for clients and everyone") }
            audience = .everyone(perSecondMax: rate)
        }
        let messages: [[UInt8]]
        switch (data, batch) {
        case (let data?, nil): messages = [data]
        case (nil, let batch?): messages = batch
        case (nil, nil): throw Self.refusal("data is missing, and so is batch")
        case (_?, _?): throw Self.refusal("data and batch are both given")
        }
        return PublishCall(audience: audience, messages: messages, isBatch: batch != nil)
    }

    /// The key that both kinds may have.
    var dedupeKey: String? { parameters.dedupeKey }

    /// Reads an object that stands whole in memory, and has no `to`.
    /// - Parameter place: what it is called in messages.
    static func read(
        _ bytes: UnsafeRawBufferPointer, in place: String, _ limits: Limits
    ) throws(WindfireError) -> PushParameters {
        var fields = PushFields(limits: limits)
        var scanner = JSONScanner(bytes)
        func scan<Value>(
            _ step: (inout JSONScanner) throws(JSONFailure) -> Value
        ) throws(WindfireError) -> Value {
            do throws(JSONFailure) { return try step(&scanner) } catch {
                throw WindfireError(.invalidJSON, "\(place) is not valid JSON: it \(error)")
            }
        }
        guard try scan({ (scanner) throws(JSONFailure) in try scanner.peekKind() }) == .object else {
            try scan { (scanner) throws(JSONFailure) in
                try scanner.skipValue()
                try scanner.finish()
            }
            throw refusal("\(place) is not a JSON object")
        }
        try scan { (scanner) throws(JSONFailure) in try scanner.enterObject() }
        while let name = try scan({ (scanner) throws(JSONFailure) in try scanner.nextKey() }) {
            if name == "to" { throw refusal("to does not stand in \(place): the lines are the ids") }
            try fields.begin(name)
            let range = try scan { (scanner) throws(JSONFailure) in try scanner.skipValue() }
            try fields.set(name, to: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        try scan { (scanner) throws(JSONFailure) in try scanner.finish() }
        return try fields.finish()
    }

    // MARK: Values

    private static func read<Value>(
        _ name: String, _ value: UnsafeRawBufferPointer, _ step: (inout JSONScanner) throws(JSONFailure) -> Value
    ) throws(WindfireError) -> Value {
        var scanner = JSONScanner(value)
        do throws(JSONFailure) { return try step(&scanner) } catch {
            // The value is valid JSON, so this is what can be wrong with it.
            throw refusal("\(name) has the wrong type")
        }
    }

    private static func text(_ name: String, _ value: UnsafeRawBufferPointer) throws(WindfireError) -> String {
        try read(name, value) { (scanner) throws(JSONFailure) in try scanner.readString() }
    }

    private static func key(_ name: String, _ value: UnsafeRawBufferPointer) throws(WindfireError) -> String {
        let key = try text(name, value)
        guard (1...keyBytesMax).contains(key.utf8.count) else {
            throw refusal("\(name) is not 1 to \(keyBytesMax) bytes")
        }
        return key
    }

    private static func number(
        _ name: String, _ value: UnsafeRawBufferPointer, _ range: ClosedRange<Int>
    ) throws(WindfireError) -> Int {
        let number = try read(name, value) { (scanner) throws(JSONFailure) in try scanner.readInteger() }
        guard let number, range.contains(number) else {
            throw refusal("\(name) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    // MARK: Messages

    static func refusal(_ message: String) -> WindfireError { WindfireError(.invalidRequest, message) }

    /// A name that came from outside, fit for a message: short, printable ASCII.
    static func shown(_ name: String) -> String {
        String(name.prefix(64).map { $0.isASCII && $0 >= " " && $0 != "\u{7F}" && !$0.isNewline ? $0 : "?" })
    }
}
