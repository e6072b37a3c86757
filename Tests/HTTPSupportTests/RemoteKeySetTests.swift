import Common
import Crypto
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Testing

@testable import HTTPSupport

/// Keys that are fetched from an issuer which a test plays.
@Suite struct RemoteKeySetTests {
    /// What the issuer answers, and how often it was asked.
    private final class Issuer: Sendable {
        let keys: Box<[SigningKey]>
        let status = Box(HTTPResponse.Status.ok)
        let asked = Box(0)

        init(_ keys: [SigningKey]) { self.keys = Box(keys) }

        var server: HTTPServer {
            let router = HTTPFace.router(logger: FaceFixture.quiet)
            router.get("jwks") { [self] _, _ in
                asked.change { $0 += 1 }
                return Response.json(["keys": keys.value.compactMap(\.publicJWK)], status: status.value)
            }
            return HTTPServer(
                router: router, listen: HostPort(host: "127.0.0.1", port: 0), logger: FaceFixture.quiet)
        }
    }

    private func key(_ id: String) throws -> SigningKey { try .generate(.es256, id: try #require(KeyID(id))) }

    private func with(
        _ issuer: Issuer, clock: HandClock = HandClock(), _ body: @Sendable (RemoteKeySet) async throws -> Void
    ) async throws {
        let server = issuer.server
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let address = try await server.boundAddress
            let result: Result<Void, any Error>
            do {
                result = .success(
                    try await body(
                        RemoteKeySet(
                            .init(url: "http://\(address)/jwks"), logger: FaceFixture.quiet, now: clock.now)))
            } catch { result = .failure(error) }
            tasks.cancelAll()
            while (try? await tasks.next()) != nil {}
            try result.get()
        }
    }

    @Test func keysAreFetchedAndReady() async throws {
        let a = try key("a")
        try await with(Issuer([a])) { remote in
            #expect(remote.current.isEmpty)
            #expect(await remote.readiness.missing() != nil)
            #expect(await remote.fetch()?.ids == [a.id])
            #expect(remote.current.ids == [a.id])
            #expect(await remote.readiness.missing() == nil)
        }
    }

    @Test func theLastGoodSetStaysWhileTheSourceFails() async throws {
        let a = try key("a")
        let issuer = Issuer([a])
        try await with(issuer) { remote in
            await remote.fetch()
            issuer.status.change { $0 = .serviceUnavailable }
            #expect(await remote.fetch() == nil)
            #expect(remote.current.ids == [a.id])
            issuer.status.change { $0 = .ok }
            issuer.keys.change { $0 = [] }
            // An empty set is nonsense, not news.
            #expect(await remote.fetch() == nil)
            #expect(remote.current.ids == [a.id])
        }
    }

    @Test func anUnknownKeyFetchesOnceAMinuteAndNoMore() async throws {
        let a = try key("a")
        let b = try key("b")
        let issuer = Issuer([a])
        let clock = HandClock()
        try await with(issuer, clock: clock) { remote in
            await remote.fetch()
            #expect(issuer.asked.value == 1)
            issuer.keys.change { $0 = [a, b] }
            #expect(await remote.refreshed(missing: b.id)?.ids == [a.id, b.id])
            #expect(issuer.asked.value == 2)
            for _ in 0..<100 { #expect(await remote.refreshed(missing: KeyID("nobody") ?? a.id) == nil) }
            #expect(issuer.asked.value == 2)
            clock.advance(by: .seconds(60))
            #expect(await remote.refreshed(missing: KeyID("nobody") ?? a.id)?.ids == [a.id, b.id])
            #expect(issuer.asked.value == 3)
        }
    }

    @Test func aTokenOfAKeyNotYetSeenIsVerifiedAfterTheFetch() async throws {
        let a = try key("a")
        let b = try key("b")
        let issuer = Issuer([a])
        try await with(issuer) { remote in
            await remote.fetch()
            issuer.keys.change { $0 = [b, a] }
            let verifier = try JWTTokenVerifier(.init(issuer: "windfire"), keys: remote, now: { 1_000 })
            let claims = TokenClaims(
                client: ClientID(unchecked: "alice"), device: .default, id: "1", generation: .first, issuedAt: 1_000,
                expiresAt: 2_000, node: nil, permissions: .none)
            let token = try TokenSigner(issuer: "windfire").sign(claims, with: b)
            #expect(try await verifier.verify(token) == claims)
        }
    }
}
