import Common
import HTTPTypes
import Hummingbird

/// How the body of a push is written, from the request's head: `Content-Type`, `Content-Encoding`, the query. What is
/// neither lines nor a table is read as JSON, as `curl -d` sends it.
struct PushForm: Equatable {
    /// Of a push that stands in the query or in a header, beside its table of ids.
    static let pushBytesMax = 16 << 10

    let intake: PushIntake.Form
    /// The body is in gzip.
    let isPacked: Bool

    /// - Throws: `not_supported` for another encoding, `invalid_request` for a query that does not fit, and as
    ///   `PushParameters.init(json:)`.
    init(_ request: Request, limits: Limits) throws(WindfireError) {
        switch request.headers[.contentEncoding]?.lowercased() {
        case nil, "", "identity": isPacked = false
        case "gzip", "x-gzip": isPacked = true
        default: throw WindfireError(.notSupported, "Content-Encoding is neither gzip nor identity")
        }
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        let policy = try Self.policy(request)
        switch type {
        case "application/x-ndjson", "application/ndjson", "application/jsonl":
            intake = .lines(onBadLine: policy ?? .refuse)
        case "text/csv":
            intake = .csv(try Self.push(request, limits), onBadLine: policy ?? .refuse)
        default:
            guard policy == nil else {
                throw WindfireError(.invalidRequest, "on_bad_line is for bodies in NDJSON and CSV")
            }
            intake = .json
        }
    }

    private static func policy(_ request: Request) throws(WindfireError) -> BadLines.Policy? {
        guard let text = request.uri.queryParameters["on_bad_line"] else { return nil }
        guard let policy = BadLines.Policy(rawValue: String(text)) else {
            throw WindfireError(.invalidRequest, "on_bad_line is neither refuse nor skip")
        }
        return policy
    }

    private static func push(_ request: Request, _ limits: Limits) throws(WindfireError) -> PushParameters {
        // The framework has decoded query values already.
        let query = request.uri.queryParameters["push"].map { String($0) }
        let header = request.headers[.windfirePush]
        guard query == nil || header == nil else {
            throw WindfireError(.invalidRequest, "the push is given in the query and in Windfire-Push")
        }
        guard let text = query ?? header else {
            throw WindfireError(
                .invalidRequest, "the push is missing: with a table it stands in ?push= or in Windfire-Push")
        }
        let json = Array(text.utf8)
        guard json.count <= pushBytesMax else {
            throw WindfireError(
                .payloadTooLarge, "the push beside a table is longer than \(pushBytesMax) bytes: send NDJSON instead")
        }
        return try PushParameters(json: json, limits: limits)
    }
}

extension HTTPField.Name {
    // The name of a constant is valid; the initialiser is optional because it takes any text.
    static let windfirePush = HTTPField.Name("Windfire-Push")!
}
