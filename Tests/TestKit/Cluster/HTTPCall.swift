import AsyncHTTPClient
import Foundation
import NIOCore

/// One HTTP call of a test, and what came back. JSON both ways; any status is an answer.
package struct HTTPCall: Sendable {
    package struct Answer: Sendable {
        package let status: Int
        package let body: Data

        package var text: String { String(decoding: body, as: UTF8.self) }

        /// - Throws: with the whole answer in the message when the status is another one.
        package func expect(_ expected: Int) throws -> Answer {
            guard status == expected else { throw UnexpectedAnswer(status: status, text: String(text.prefix(2000))) }
            return self
        }

        package func decoded<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
            do {
                return try JSONDecoder().decode(type, from: body)
            } catch {
                throw UnexpectedAnswer(status: status, text: "\(error) in \(text.prefix(2000))")
            }
        }
    }

    package struct UnexpectedAnswer: Error, CustomStringConvertible {
        let status: Int
        let text: String
        package var description: String { "HTTP \(status): \(text)" }
    }

    package var method = "GET"
    package var url: String
    package var bearer: String?
    package var body: Data?
    package var contentType = "application/json"
    package var timeout: Duration

    package init(
        _ method: String = "GET", url: String, bearer: String? = nil, json: (any Encodable & Sendable)? = nil,
        timeout: Duration = .seconds(30)
    ) throws {
        self.method = method
        self.url = url
        self.bearer = bearer
        body = try json.map { try JSONEncoder().encode($0) }
        self.timeout = timeout
    }

    /// Posts what is no JSON, or not as a value writes itself.
    package init(post body: Data, as contentType: String, to url: String, bearer: String) {
        (method, self.url, self.bearer) = ("POST", url, bearer)
        (self.body, self.contentType) = (body, contentType)
        timeout = .seconds(60)
    }

    /// Larger answers fail: a receipt of 3,000 named clients is 200 KiB.
    private static let bytesMax = 16 << 20

    package func answer() async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        if let bearer { request.headers.add(name: "authorization", value: "Bearer \(bearer)") }
        if let body {
            request.headers.add(name: "content-type", value: contentType)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let (seconds, attoseconds) = timeout.components
        let response = try await HTTPClient.shared.execute(
            request, timeout: .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
        let body = try await response.body.collect(upTo: Self.bytesMax)
        return Answer(status: Int(response.status.code), body: Data(body.readableBytesView))
    }
}
