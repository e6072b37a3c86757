import Common
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// An error answer: RFC 9457, `application/problem+json`, with our `code` and `trace_id` as extension members.
package struct Problem: Encodable, Equatable {
    package let type: String
    package let title: String
    package let status: Int
    package let detail: String
    package let code: String
    package let traceID: String
    /// Only in `not_ready` answers: what is missing.
    package var missing: [MissingPart]?

    package struct MissingPart: Encodable, Equatable {
        package let name: String
        package let detail: String
    }

    package init(_ code: FailureCode, detail: String, traceID: String, missing: [MissingPart]? = nil) {
        type = "urn:windfire:error:\(code.name)"
        title = code.title
        status = code.status
        self.detail = detail
        self.code = code.name
        self.traceID = traceID
        self.missing = missing
    }

    enum CodingKeys: String, CodingKey {
        case type, title, status, detail, code
        case traceID = "trace_id"
        case missing
    }

    /// - Parameter retryAfter: rounded up to whole seconds for `Retry-After` (RFC 9110, section 10.2.3).
    package func response(retryAfter: Duration? = nil) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        if let retryAfter { headers[.retryAfter] = String(retryAfter.wholeSecondsUp) }
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: JSONAnswer.encode(self)))
    }
}

extension Problem {
    /// What callers are told about an error: what a `WindfireError` says, and of anything else only that it happened.
    package init(_ error: WindfireError, traceID: String) {
        // A message of `internal_error` was written for the log.
        let detail = error.code == .internalError ? FailureCode.internalError.title : error.message
        self.init(error.code, detail: detail, traceID: traceID)
    }
}

extension Duration {
    /// Whole seconds, at least one, rounded up.
    package var wholeSecondsUp: Int64 {
        let (seconds, attoseconds) = components
        return max(1, attoseconds > 0 ? seconds + 1 : seconds)
    }
}
