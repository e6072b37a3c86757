import AsyncHTTPClient
import Common
import Foundation
import NIOCore

/// Calls of the HTTP API for the tools.
struct APIClient: Sendable {
    /// A receipt names every target that was not delivered: a million ids of 128 bytes and their frame.
    static let answerBytesMax = 256 << 20

    let base: String
    let key: String

    init(base: String, key: String) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.key = key
    }

    /// There was no answer at all, or one that says to come back.
    struct NoAnswer: Error, CustomStringConvertible {
        let description: String
    }

    func get(_ path: String) async throws -> Data {
        try await call(HTTPClientRequest(url: base + path), timeout: .seconds(30))
    }

    func post(_ path: String, _ body: ByteBuffer, timeout: TimeAmount = .seconds(30)) async throws -> Data {
        try await post(path, .bytes(body), contentType: "application/json", timeout: timeout)
    }

    /// Pushes to a list while it is read.
    func post(_ list: ListFile, timeout: TimeAmount) async throws -> Data {
        try await post(
            "/v1/push" + list.query, .stream(list, length: .unknown), contentType: list.contentType, timeout: timeout)
    }

    private func post(
        _ path: String, _ body: HTTPClientRequest.Body, contentType: String, timeout: TimeAmount
    ) async throws -> Data {
        var request = HTTPClientRequest(url: base + path)
        request.method = .POST
        request.headers.add(name: "content-type", value: contentType)
        request.body = body
        return try await call(request, timeout: timeout)
    }

    static func decode<Answer: Decodable>(_ data: Data, as type: Answer.Type = Answer.self) throws -> Answer {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw CommandFailure("the answer has not the expected form; is the server of another version?")
        }
    }

    private func call(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> Data {
        var request = request
        request.headers.add(name: "authorization", value: "Bearer \(key)")
        let status: Int
        let answer: Data
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: timeout)
            status = Int(response.status.code)
            answer = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        } catch let failure as CommandFailure {
            // The list that was being sent cannot be read on.
            throw failure
        } catch {
            throw NoAnswer(description: "\(base) does not answer: \(error)")
        }
        if status == 502 || status == 503 {
            throw NoAnswer(description: Problem.text(of: answer, status: status))
        }
        guard (200..<300).contains(status) else { throw CommandFailure(Problem.text(of: answer, status: status)) }
        return answer
    }

    /// What RFC 9457 answers hold, as far as a person wants it.
    private struct Problem: Decodable {
        let code: String?
        let title: String?
        let detail: String?
        let trace_id: String?

        static func text(of answer: Data, status: Int) -> String {
            guard let problem = try? JSONDecoder().decode(Problem.self, from: answer), let code = problem.code else {
                return "HTTP status \(status)"
            }
            let trace = problem.trace_id.map { " (trace \($0))" } ?? ""
            return "\(code): \(problem.detail ?? problem.title ?? "HTTP status \(status)")\(trace)"
        }
    }
}
