import Common

/// Reads the body of `POST /v1/push` piece by piece, however it is cut, in one of three forms; a million ids never
/// stand in memory at once when their chunks are taken as they come. Pure: nothing is waited for, nothing is sent.
///
///     var intake = PushIntake(.json, limits: limits)
///     for try await piece in body {
///         try intake.feed(piece)
///         for chunk in intake.takeChunks() { … }
///     }
///     let end = try intake.finish()
package struct PushIntake {
    package enum Form: Equatable, Sendable {
        /// `{"to":{"clients":[…]},"data":…}`, fields in any order; or with topics, or everyone, in `to`.
        case json
        /// The push without `to` on the first line, then an id on each.
        case lines(onBadLine: BadLines.Policy)
        /// Ids in a table; the push came apart from it.
        case csv(PushParameters, onBadLine: BadLines.Policy)
    }

    /// What a body says beside the ids.
    package enum Content: Equatable, Sendable {
        case clients(PushParameters)
        case publish(PublishCall, dedupeKey: String?)
    }

    /// What is known once the body has ended.
    package struct End: Equatable, Sendable {
        package let parameters: PushParameters
        /// Set when the push is for topics or everyone. There are no ids then, and nothing counts of the parameters but
        /// the `dedupe_key`.
        package let publish: PublishCall?
        /// The ids that are in no chunk yet, at least one: all of them, when there are few.
        package let rest: [ClientID]
        /// Different clients, over all chunks and the rest.
        package let total: Int
        /// nil for a body that has no lines.
        package let badLines: BadLines?
    }

    private enum Parser {
        case json(JSONBodyParser)
        case lines(LineBodyParser)
        case csv(CSVBodyParser, PushParameters)
        /// While a piece is read, so that the parser has one owner and what it collects is appended in place.
        case reading
    }

    private var parser: Parser
    private var targets: TargetCollector

    package init(_ form: Form, limits: Limits) {
        targets = TargetCollector(limits: limits)
        parser =
            switch form {
            case .json: .json(JSONBodyParser(limits: limits))
            case .lines(let policy): .lines(LineBodyParser(limits: limits, onBadLine: policy))
            case .csv(let parameters, let policy): .csv(CSVBodyParser(onBadLine: policy), parameters)
            }
    }

    /// - Throws: `invalid_json`, `invalid_request`, `not_supported`, `invalid_id`, `too_many_targets` or
    ///   `payload_too_large`, naming the field or the line; never with raw input in the message. The intake is of no
    ///   use then.
    package mutating func feed(_ piece: UnsafeRawBufferPointer) throws(WindfireError) {
        switch parser {
        case .json(var json):
            parser = .reading
            defer { parser = .json(json) }
            try json.feed(piece, into: &targets)
        case .lines(var lines):
            parser = .reading
            defer { parser = .lines(lines) }
            try lines.feed(piece, into: &targets)
        case .csv(var csv, let parameters):
            parser = .reading
            defer { parser = .csv(csv, parameters) }
            try csv.feed(piece, into: &targets)
        case .reading:
            preconditionFailure("a piece is not fed while another one is read")
        }
    }

    /// Full chunks of `Limits.targetsPerChunkMax` ids that others follow, each handed out once. Empty as long as the
    /// push may be a small one.
    package mutating func takeChunks() -> [[ClientID]] { targets.takeFull() }

    /// The body has ended. Take the chunks first.
    /// - Throws: as `feed`, for what is missing.
    package mutating func finish() throws(WindfireError) -> End {
        let parameters: PushParameters
        let badLines: BadLines?
        switch parser {
        case .json(var json):
            switch try json.finish() {
            case .clients(let push): parameters = push
            case .publish(let call, let key):
                return End(
                    parameters: PushParameters(data: [], dedupeKey: key), publish: call, rest: [], total: 0,
                    badLines: nil)
            }
            badLines = nil
        case .lines(var lines):
            parameters = try lines.finish(into: &targets)
            badLines = lines.badLines
        case .csv(var csv, let given):
            try csv.finish(into: &targets)
            parameters = given
            badLines = csv.badLines
        case .reading:
            preconditionFailure("a body does not end while a piece is read")
        }
        guard targets.total > 0 else { throw PushFields.refusal("there is no client id in the body") }
        let total = targets.total
        return End(
            parameters: parameters, publish: nil, rest: targets.takeLast(), total: total, badLines: badLines)
    }
}
