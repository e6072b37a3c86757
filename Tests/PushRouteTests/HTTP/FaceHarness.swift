import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore

@testable import PushRoute

/// A PushRoute without sockets, with its registry, route store and nodes at hand.
struct FaceHarness {
    let one = makeMember("n1")
    let two = makeMember("n2", state: .draining)
    let registry: FixedRegistry
    let routes = ScriptedRouteStore()
    let nodes = ScriptedNodes()
    let service: PushRouteService

    init(
        limits: Limits = .default, jobs: (any JobIntake)? = nil, store: (any JobStore)? = nil,
        configure: (inout PushRouteConfiguration) -> Void = { _ in }
    ) throws {
        registry = FixedRegistry([one, two])
        var configuration = PushRouteConfiguration(
            incarnation: Incarnation(node: NodeID(unchecked: "r1"), life: 1),
            listen: HostPort(host: "127.0.0.1", port: 0),
            keys: try APIKeys([
                APIKeys.entry(name: "backend", role: .push, key: "push-key"),
                APIKeys.entry(name: "slow", role: .push, key: "slow-key", ratePerSecond: 10),
                APIKeys.entry(name: "operator", role: .ops, key: "ops-key"),
                APIKeys.entry(name: "root", role: .admin, key: "admin-key"),
            ]), limits: limits, version: "test", startedAt: 1)
        configure(&configuration)
        service = PushRouteService(
            configuration: configuration, registry: registry, routes: routes, nodes: nodes, jobs: store, intake: jobs,
            logger: quiet)
    }

    func ask<Value>(
        _ body: @Sendable (any TestClientProtocol) async throws -> Value
    ) async throws -> Value {
        try await service.server.application.test(.router, body)
    }
}

struct Answer: Equatable {
    let status: Int
    let body: String

    init(status: Int, body: String) {
        self.status = status
        self.body = body
    }

    init(_ response: TestResponse) { self.init(status: response.status.code, body: String(buffer: response.body)) }

    /// The value of `"code":"…"`.
    var code: String? {
        guard let start = body.range(of: "\"code\":\"")?.upperBound else { return nil }
        return String(body[start...].prefix { $0 != "\"" })
    }
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method, _ uri: String, key: String? = nil, body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await ask(method, uri, key: key, body: body.map { ByteBuffer(string: $0) }, headers: headers)
    }

    func ask(
        _ method: HTTPRequest.Method, _ uri: String, key: String?, body: ByteBuffer?, headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let key { headers[.authorization] = "Bearer \(key)" }
        return try await execute(uri: uri, method: method, headers: headers, body: body) { Answer($0) }
    }
}
