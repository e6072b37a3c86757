import Common
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import HTTPSupport

/// A face with one route per kind of answer.
enum FaceFixture {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static let keys = [
        APIKeys.entry(name: "back-end", role: .push, key: "push-key"),
        APIKeys.entry(name: "operator", role: .ops, key: "ops-key"),
        APIKeys.entry(name: "root", role: .admin, key: "admin-key"),
    ]

    struct Body: StrictBody {
        enum Field: String, CodingKey, CaseIterable {
            case client, count, nested
        }
        struct Nested: Decodable {
            let list: [Int]
        }
        let client: ClientID
        let count: Int?
        let nested: Nested?

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Field.self)
            client = try container.decode(ClientID.self, forKey: .client)
            count = try container.decodeIfPresent(Int.self, forKey: .count)
            nested = try container.decodeIfPresent(Nested.self, forKey: .nested)
        }
    }

    struct Unexpected: Error {}

    static func application(
        checks: [ReadinessCheck] = [], metrics: PrometheusRegistry? = nil, origins: [String] = [],
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        listen: HostPort = HostPort(host: "127.0.0.1", port: 0)
    ) throws -> HTTPServer {
        let router = HTTPFace.router(logger: quiet, metrics: metrics, origins: origins)
        router.addHealth(checks)
        if let metrics { router.addMetrics(metrics) }
        let gate = APIKeyGate(try APIKeys(keys), now: now)
        router.post("body") { request, _ in
            let body = try await request.json(Body.self, upTo: 256)
            return Response.json(["client": body.client.text])
        }
        router.get("busy") { _, _ -> Response in
            throw WindfireError(.noNode, "all full", retryAfter: .milliseconds(1_500))
        }
        router.get("broken") { _, _ -> Response in throw Unexpected() }
        router.get("trace") { _, context in Response.json(["trace": context.trace.traceID]) }
        for role in APIKey.Role.allCases {
            router.group("\(role.rawValue)").add(middleware: gate.requireRole(role)).get { _, context in
                Response.json(["name": context.apiKey?.name ?? ""])
            }
        }
        return HTTPServer(router: router, listen: listen, logger: quiet)
    }
}

/// A problem answer as callers see it.
struct ProblemAnswer: Decodable, Equatable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let code: String
    let trace_id: String
    let missing: [Part]?

    struct Part: Decodable, Equatable {
        let name: String
        let detail: String
    }
}

extension TestResponse {
    /// The problem in this answer, after checking that it is one in every way.
    func problem(_ code: FailureCode) throws -> ProblemAnswer {
        #expect(status.code == code.status)
        #expect(headers[.contentType] == "application/problem+json")
        let problem = try json(ProblemAnswer.self)
        #expect(problem.code == code.name)
        #expect(problem.status == code.status)
        #expect(problem.title == code.title)
        #expect(problem.trace_id.utf8.count == 32)
        return problem
    }

    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }
}

/// A clock that tests turn by hand.
final class HandClock: Sendable {
    private let offset = Box(Duration.zero)
    private let start = ContinuousClock.now

    var now: @Sendable () -> ContinuousClock.Instant { { [self] in start + offset.value } }

    func advance(by time: Duration) { offset.change { $0 += time } }
}
