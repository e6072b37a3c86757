import Common
import FoundationEssentials
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import AuthService

/// An AuthService over a registry in memory, with three push servers and a clock that stands still.
final class AuthFixture: Sendable {
    /// Unix seconds at which these tests begin.
    static let noon: Int64 = 1_800_000_000
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let apiKeys = [
        APIKeys.entry(name: "back-end", role: .push, key: "push-key"),
        APIKeys.entry(name: "operator", role: .ops, key: "ops-key"),
    ]

    let registry = InMemoryRegistry()
    let routes = FakeRoutes()
    let service: AuthService
    private let elapsed: Elapsed

    /// How far the clock was turned; wall and monotonic clock go together.
    private final class Elapsed: Sendable {
        private let mutex = Mutex(Duration.zero)
        private let start = ContinuousClock.now
        var value: Duration {
            get { mutex.withLock { $0 } }
            set { mutex.withLock { $0 = newValue } }
        }
        var clock: AuthService.Clock {
            .init(
                wall: { UInt64((AuthFixture.noon + self.value.components.seconds) * 1000) },
                monotonic: { self.start + self.value })
        }
    }

    init(nodes: Int = 3, _ change: (inout AuthServiceConfiguration) -> Void = { _ in }) async throws {
        var configuration = AuthServiceConfiguration()
        configuration.isDev = true
        configuration.listen = HostPort(host: "127.0.0.1", port: 0)
        configuration.authenticators = [.dev, .backend(Permissions(subscribe: ["#"]))]
        configuration.apiKeys = Self.apiKeys
        change(&configuration)
        elapsed = Elapsed()
        service = try AuthService(
            configuration: configuration, registry: registry, routes: routes, logger: Self.quiet, clock: elapsed.clock)
        for place in 0..<nodes { try await registry.register(.sample("n\(place)"), as: .push) }
        await service.refresh()
    }

    func advance(by time: Duration) { elapsed.value += time }

    /// A verifier as a push server has it, on this service's keys.
    func verifier() throws -> JWTTokenVerifier {
        let wall = elapsed.clock.wall
        return try JWTTokenVerifier(
            .init(issuer: "windfire"), keys: service.keys, now: { Int64(wall() / 1000) })
    }

    /// Asks with a JSON body.
    func post(
        _ uri: String, _ body: String, bearer: String? = nil
    ) async throws -> TestResponse {
        try await ask(uri, .post, body, bearer: bearer)
    }

    func ask(
        _ uri: String, _ method: HTTPRequest.Method = .get, _ body: String? = nil, bearer: String? = nil
    ) async throws -> TestResponse {
        var headers = HTTPFields()
        headers[.authorization] = bearer.map { "Bearer \($0)" }
        return try await service.application.test(.router) { [headers] client in
            try await client.execute(
                uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        }
    }

    /// A login that must succeed.
    func login(_ client: String = "alice", device: String? = nil) async throws -> LoginAnswer {
        let device = device.map { #","device":"\#($0)""# } ?? ""
        let answer = try await post("/v1/token", #"{"client":"\#(client)","secret":"dev"\#(device)}"#)
        #expect(answer.status == .ok)
        return try answer.json(LoginAnswer.self)
    }
}

/// The answer as a device reads it.
struct LoginAnswer: Decodable, Equatable {
    struct Node: Decodable, Equatable {
        let id: String
        let endpoints: [String: String]
    }
    struct Backoff: Decodable, Equatable {
        let base_ms: Int
        let factor: Double
        let max_ms: Int
        let jitter: Double
    }
    let token: String
    let expires_at: Int64
    let client: String
    let device: String
    let node: Node
    let alternatives: [Node]
    let heartbeat_s: Int
    let backoff: Backoff
}

struct ProblemAnswer: Decodable {
    let code: String
    let detail: String
    let status: Int
}

extension TestResponse {
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    /// Checks that this is the problem with this code, and returns its detail.
    @discardableResult
    func problem(_ code: FailureCode) throws -> String {
        #expect(headers[.contentType] == "application/problem+json")
        let problem = try json(ProblemAnswer.self)
        #expect(problem.code == code.name)
        #expect(status.code == code.status)
        return problem.detail
    }
}
