import Common
import FoundationEssentials
import Hummingbird
import NIOCore

/// A request body that says which fields it knows, so that a misspelt one is refused instead of silently ignored.
package protocol StrictBody: Decodable {
    associatedtype Field: CodingKey & CaseIterable
}

extension Request {
    /// Reads the whole body, of at most so many bytes.
    /// - Throws: `body_too_large`, before the body is read when its length is declared; `invalid_request` when the
    ///   caller breaks off.
    package func body(upTo bytesMax: Int) async throws(WindfireError) -> ByteBuffer {
        if let declared = headers[.contentLength].flatMap({ Int($0) }), declared > bytesMax {
            throw WindfireError(.bodyTooLarge, "the request body may have \(bytesMax) bytes")
        }
        do {
            return try await body.collect(upTo: bytesMax)
        } catch is NIOTooManyBytesError {
            throw WindfireError(.bodyTooLarge, "the request body may have \(bytesMax) bytes")
        } catch {
            throw WindfireError(.invalidRequest, "the request body ended early", cause: error)
        }
    }

    /// Reads a JSON body.
    /// - Throws: `body_too_large`, `invalid_json`, or `invalid_request` naming the field; an identifier's own
    ///   `invalid_id` passes through.
    package func json<Body: Decodable>(
        _ type: Body.Type, upTo bytesMax: Int = Limits.default.requestBodyBytesMax
    ) async throws(WindfireError) -> Body {
        try StrictJSON.decode(type, from: try await body(upTo: bytesMax))
    }

    /// Reads a JSON body and refuses fields it does not know.
    package func json<Body: StrictBody>(
        _ type: Body.Type, upTo bytesMax: Int = Limits.default.requestBodyBytesMax
    ) async throws(WindfireError) -> Body {
        try StrictJSON.decode(KnownFields<Body>.self, from: try await body(upTo: bytesMax)).body
    }
}

/// Decoding with our names for what can be wrong.
package enum StrictJSON {
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: ByteBuffer
    ) throws(WindfireError) -> Value {
        guard bytes.readableBytes > 0 else { throw WindfireError(.invalidJSON, "the body is empty") }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
        } catch let error as WindfireError {
            throw error
        } catch let error as DecodingError {
            throw failure(for: error)
        } catch {
            throw WindfireError(.invalidJSON, "the body is not valid JSON", cause: error)
        }
    }

    private static func failure(for error: DecodingError) -> WindfireError {
        switch error {
        case .keyNotFound(let key, let context):
            return WindfireError(.invalidRequest, "\(path(context.codingPath + [key])) is missing")
        case .typeMismatch(_, let context):
            return WindfireError(.invalidRequest, "\(path(context.codingPath)) has the wrong type")
        case .valueNotFound(_, let context):
            return WindfireError(.invalidRequest, "\(path(context.codingPath)) is null")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            return WindfireError(.invalidJSON, "the body is not valid JSON")
        case .dataCorrupted(let context):
            return WindfireError(.invalidRequest, "\(path(context.codingPath)) has a value that is not allowed")
        @unknown default:
            return WindfireError(.invalidRequest, "the body does not have the expected form")
        }
    }

    /// `to.clients[3]`. Names come from our own types except for dictionary keys, which are bounded here.
    private static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue.printable(64)
            }
        }
        return text.isEmpty ? "the body" : text
    }
}

/// Looks at a body's fields before it is decoded, in the same pass over the bytes.
private struct KnownFields<Body: StrictBody>: Decodable {
    let body: Body

    init(from decoder: any Decoder) throws {
        let known = Set(Body.Field.allCases.map(\.stringValue))
        for key in try decoder.container(keyedBy: AnyField.self).allKeys where !known.contains(key.stringValue) {
            throw WindfireError(.invalidRequest, "there is no field \(key.stringValue.printable(64))")
        }
        body = try Body(from: decoder)
    }

    private struct AnyField: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension String {
    /// At most so many characters, with everything but printable ASCII replaced: fit for an error message.
    fileprivate func printable(_ charactersMax: Int) -> String {
        String(prefix(charactersMax).map { $0.isASCII && !$0.isNewline && $0 >= " " && $0 != "\u{7F}" ? $0 : "?" })
    }
}
