import AuthService
import Common
import PushClient
import ServiceLifecycle
import TestKit
import Testing

@testable import PushServer

/// The client library against a real auth service and a real node, all in this process.
@Suite(.timeLimit(.minutes(2))) struct ClientLibraryTests {
    /// Runs an auth service around `body`, which gets its URL and neighbours whose nodes know its keys.
    private func withAuthService(_ body: (String, Neighbours) async throws -> Void) async throws {
        var neighbours = try Neighbours()
        var configuration = AuthServiceConfiguration()
        configuration.isDev = true
        configuration.listen = HostPort(host: "127.0.0.1", port: 0)
        configuration.authenticators = [.dev]
        let service = try AuthService(
            configuration: configuration, registry: neighbours.registry, routes: neighbours.routes, logger: quiet)
        neighbours.keys = service.keys
        let group = ServiceGroup(services: [service], logger: quiet)
        let task = Task { try await group.run() }
        do {
            try await body("http://\(try await service.boundAddress)", neighbours)
        } catch {
            await group.triggerGracefulShutdown()
            _ = await task.result
            throw error
        }
        await group.triggerGracefulShutdown()
        _ = try await task.value
    }

    private func client(
        _ service: String, secret: String = "dev", trusting roots: TestCertificate? = nil
    ) -> PushClient {
        var configuration = PushClient.Configuration(
            login: .secret(service: service, client: "alice", device: "phone", secret: secret))
        configuration.trustRootsFile = roots?.certificate
        return PushClient(configuration: configuration)
    }

    private func isConnected(_ client: PushClient) async throws {
        try await eventually(within: .seconds(30), "the client is connected") {
            client.state == .connected(node: "n1")
        }
    }

    @Test(arguments: [true, false])
    func `from the token to the message`(isSecure: Bool) async throws {
        let certificate = try await TestCertificate()
        try await withAuthService { service, neighbours in
            try await neighbours.withNode("n1") {
                guard isSecure else { return }
                $0.tlsCertificate = certificate.certificate
                $0.tlsKey = certificate.key
            } _: { node in
                let client = client(service, trusting: isSecure ? certificate : nil)
                await client.start()
                try await isConnected(client)
                #expect(await client.lastFailure == nil)
                let route = try #require(try await neighbours.routes(of: "alice").first)
                #expect(route.device.description == "phone")
                #expect(try await node.deliver(#"{"hi":"é"}"#, to: [route.session]) == [.written])
                var messages = client.messages.makeAsyncIterator()
                let message = try #require(await messages.next())
                #expect(String(decoding: message.data, as: UTF8.self) == #"{"hi":"é"}"#)
                #expect(try await client.ping() > .zero)
                await client.close()
                try await node.expectNobody()
            }
        }
    }

    @Test(arguments: ["another authority", "another name"])
    func `a node with a wrong certificate is refused by name`(wrong: String) async throws {
        let names = wrong == "another name" ? "DNS:elsewhere.example" : "DNS:localhost,IP:127.0.0.1"
        let shown = try await TestCertificate(for: names)
        let trusted = wrong == "another name" ? shown : try await TestCertificate()
        try await withAuthService { service, neighbours in
            try await neighbours.withNode(certificate: shown) { node in
                let client = client(service, trusting: trusted)
                await client.start()
                try await eventually(within: .seconds(30), "the client says why") {
                    await client.lastFailure?.kind == .untrusted
                }
                if case .connected = client.state { Issue.record("connected to a node that is not trusted") }
                #expect(try await neighbours.routes(of: "alice").isEmpty)
                await client.close()
            }
        }
    }

    /// The node's TLS port stands in for a token service with a wrong certificate: the credentials must not be sent.
    @Test func `a token service with a wrong certificate is refused by name`() async throws {
        let shown = try await TestCertificate()
        let trusted = try await TestCertificate()
        try await Neighbours().withNode(certificate: shown) { node in
            let client = client("https://127.0.0.1:\(node.bound.devices)", trusting: trusted)
            await client.start()
            try await eventually(within: .seconds(30), "the client says why") {
                await client.lastFailure?.kind == .untrusted
            }
            await client.close()
        }
    }

    @Test func `a wrong secret closes the client with the service's own name for it`() async throws {
        try await withAuthService { service, neighbours in
            try await neighbours.withNode("n1") { _ in
                let client = client(service, secret: "wrong")
                await client.start()
                try await eventually("the client is closed") {
                    client.state == .closed(.tokenRefused(code: FailureCode.unauthorized.name))
                }
                #expect(await client.lastFailure?.code == FailureCode.unauthorized.name)
            }
        }
    }
}
