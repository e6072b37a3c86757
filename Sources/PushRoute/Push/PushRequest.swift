import Common

/// The body of `POST /v1/push`, checked. Field by field, in one pass: what is not known, not allowed or not offered is
/// refused by name, because a push with a misspelt field that goes out anyway cannot be called back.
package struct PushRequest: Equatable, Sendable {
    /// Each once, in the order of first appearance.
    package let targets: [ClientID]
    /// One JSON value, the very bytes that were sent.
    package let data: [UInt8]
    /// How long the message is worth keeping. A live message is delivered now or not at all.
    package let timeToLive: Duration?
    package let collapseKey: String?

    package init(
        targets: [ClientID], data: [UInt8], timeToLive: Duration? = nil, collapseKey: String? = nil
    ) {
        self.targets = targets
        self.data = data
        self.timeToLive = timeToLive
        self.collapseKey = collapseKey
    }

    /// - Throws: `invalid_json`, `invalid_request`, `not_supported`, `invalid_id`, `too_many_targets` or
    ///   `payload_too_large`, naming the field; never with raw input in the message.
    package static func parse(_ body: UnsafeRawBufferPointer, limits: Limits = .default) throws(WindfireError) -> Self {
        var parser = PushRequestParser(body, limits: limits)
        do throws(PushRequestParser.Failure) {
            return try parser.parse()
        } catch {
            throw parser.explain(error)
        }
    }
}

private struct PushRequestParser {
    /// What went wrong: the text as such, or what it asks for.
    enum Failure: Error {
        case json(JSONFailure)
        case request(WindfireError)
    }

    /// 7 days, as long as an inbox keeps anything.
    static let timeToLiveSecondsMax = 604_800
    static let collapseKeyBytesMax = 128

    private var scanner: JSONScanner
    private let limits: Limits
    /// The field being read, for messages.
    private var field = "the body"

    init(_ body: UnsafeRawBufferPointer, limits: Limits) {
        scanner = JSONScanner(body)
        self.limits = limits
    }

    mutating func parse() throws(Failure) -> PushRequest {
        var targets: [ClientID]?
        var data: [UInt8]?
        var timeToLive: Duration?
        var collapseKey: String?
        var seen: Set<String> = []

        try scan { (scanner) throws(JSONFailure) in try scanner.enterObject() }
        while let key = try scan({ (scanner) throws(JSONFailure) in try scanner.nextKey() }) {
            field = "a field"
            guard seen.insert(key).inserted else { throw refusal("\(Self.shown(key)) is given twice") }
            switch key {
            case "to":
                targets = try readTargets()
            case "data":
                data = try readData()
            case "mode":
                try readMode()
            case "ttl_s":
                timeToLive = try readTimeToLive()
            case "collapse_key":
                collapseKey = try readCollapseKey()
            case "async":
                field = key
                let isAsked = try scan { (scanner) throws(JSONFailure) in try scanner.readBoolean() }
                if isAsked { throw notSupported("async") }
            case "dedupe_key":
                // A key that is taken and not kept would be a broken promise.
                throw notSupported(key)
            default:
                throw refusal("there is no field \(Self.shown(key))")
            }
            field = "the body"
        }
        try scan { (scanner) throws(JSONFailure) in try scanner.finish() }
        guard let targets else { throw refusal("to is missing") }
        guard let data else { throw refusal("data is missing") }
        return PushRequest(targets: targets, data: data, timeToLive: timeToLive, collapseKey: collapseKey)
    }

    private mutating func readTargets() throws(Failure) -> [ClientID] {
        field = "to"
        var targets: [ClientID]?
        try scan { (scanner) throws(JSONFailure) in try scanner.enterObject() }
        while let key = try scan({ (scanner) throws(JSONFailure) in try scanner.nextKey() }) {
            switch key {
            case "clients":
                guard targets == nil else { throw refusal("to.clients is given twice") }
                targets = try readClients()
            case "topic", "group", "everyone":
                throw notSupported("to.\(key)")
            default:
                throw refusal("there is no field to.\(Self.shown(key))")
            }
        }
        guard let targets else { throw refusal("to.clients is missing") }
        return targets
    }

    private mutating func readClients() throws(Failure) -> [ClientID] {
        field = "to.clients"
        var clients: [ClientID] = []
        // Most of a large body is ids, each with quotes and a comma: room for ids of 13 bytes saves growing in steps.
        let expected = min(scanner.bytesLeft / 16, limits.targetsPerPushMax)
        clients.reserveCapacity(expected)
        var seen: Set<ClientID> = []
        seen.reserveCapacity(expected)
        var index = 0
        try scan { (scanner) throws(JSONFailure) in try scanner.enterArray() }
        while try scan({ (scanner) throws(JSONFailure) in try scanner.nextElement() }) {
            guard index < limits.targetsPerPushMax else {
                throw .request(
                    WindfireError(.tooManyTargets, "to.clients has more than \(limits.targetsPerPushMax) ids"))
            }
            let text: String
            do throws(JSONFailure) {
                text = try scanner.readString()
            } catch {
                field = "to.clients[\(index)]"
                throw .json(error)
            }
            let client: ClientID
            do throws(WindfireError) {
                client = try ClientID(text)
            } catch {
                throw .request(WindfireError(error.code, "to.clients[\(index)]: \(error.message)"))
            }
            if seen.insert(client).inserted { clients.append(client) }
            index += 1
        }
        guard !clients.isEmpty else { throw refusal("to.clients is empty") }
        return clients
    }

    private mutating func readData() throws(Failure) -> [UInt8] {
        field = "data"
        let range = try scan { (scanner) throws(JSONFailure) in try scanner.skipValue() }
        guard range.count <= limits.payloadBytesMax else {
            throw .request(WindfireError(.payloadTooLarge, "data is longer than \(limits.payloadBytesMax) bytes"))
        }
        return scanner.bytes(in: range)
    }

    private mutating func readMode() throws(Failure) {
        field = "mode"
        switch try scan({ (scanner) throws(JSONFailure) in try scanner.readString() }) {
        case "live": return
        case "stored": throw notSupported("mode stored")
        default: throw refusal("mode is neither live nor stored")
        }
    }

    private mutating func readTimeToLive() throws(Failure) -> Duration {
        field = "ttl_s"
        let seconds = try scan { (scanner) throws(JSONFailure) in try scanner.readInteger() }
        guard let seconds, (1...Self.timeToLiveSecondsMax).contains(seconds) else {
            throw refusal("ttl_s is not a whole number from 1 to \(Self.timeToLiveSecondsMax)")
        }
        return .seconds(seconds)
    }

    private mutating func readCollapseKey() throws(Failure) -> String {
        field = "collapse_key"
        let key = try scan { (scanner) throws(JSONFailure) in try scanner.readString() }
        guard (1...Self.collapseKeyBytesMax).contains(key.utf8.count) else {
            throw refusal("collapse_key is not 1 to \(Self.collapseKeyBytesMax) bytes")
        }
        return key
    }

    // MARK: Failures

    private mutating func scan<Value>(
        _ step: (inout JSONScanner) throws(JSONFailure) -> Value
    ) throws(Failure) -> Value {
        do throws(JSONFailure) { return try step(&scanner) } catch { throw .json(error) }
    }

    func explain(_ failure: Failure) -> WindfireError {
        switch failure {
        case .request(let error):
            return error
        case .json(let failure) where failure.reason == .wrongType:
            // Another type is only that when it is a value at all.
            var rest = scanner
            do throws(JSONFailure) {
                try rest.skipValue()
            } catch {
                return Self.notJSON(error)
            }
            return WindfireError(.invalidRequest, "\(field) has the wrong type")
        case .json(let failure):
            return Self.notJSON(failure)
        }
    }

    private static func notJSON(_ failure: JSONFailure) -> WindfireError {
        WindfireError(.invalidJSON, "the body is not valid JSON: it \(failure)")
    }

    private func refusal(_ message: String) -> Failure { .request(WindfireError(.invalidRequest, message)) }

    private func notSupported(_ field: String) -> Failure {
        .request(WindfireError(.notSupported, "\(field) is not offered by this version"))
    }

    /// A name that came from outside, fit for a message: short, printable ASCII.
    private static func shown(_ name: String) -> String {
        String(name.prefix(64).map { $0.isASCII && $0 >= " " && $0 != "\u{7F}" && !$0.isNewline ? $0 : "?" })
    }
}
