import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON body: sorted keys, so that answers can be compared by eye, and slashes left as they are.
package enum JSONAnswer {
    /// Encodes one of our own answer types.
    package static func encode(_ value: some Encodable) -> ByteBuffer {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return ByteBuffer(bytes: try encoder.encode(value))
        } catch {
            // Our answers hold text, integers and finite numbers only.
            preconditionFailure("an answer type of ours cannot be encoded: \(error)")
        }
    }
}

extension Response {
    /// An answer with a JSON body. Tokens and receipts are nobody's to cache, hence `no-store` unless told otherwise.
    package static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, cacheControl: String = "no-store"
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        headers[.cacheControl] = cacheControl
        return Response(status: status, headers: headers, body: .init(byteBuffer: JSONAnswer.encode(value)))
    }
}
