import Common
import FoundationEssentials
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import AuthService

/// Where signing keys come from, how they change, and how they are published.
@Suite struct KeyTests {
    private struct KeySet: Decodable {
        let keys: [[String: String]]
    }

    private func key(_ id: String, _ algorithm: TokenAlgorithm = .es256) throws -> SigningKey {
        try .generate(algorithm, id: try #require(KeyID(id)))
    }

    private func published(_ fixture: AuthFixture) async throws -> [String] {
        try await fixture.ask("/.well-known/jwks.json").json(KeySet.self).keys.compactMap { $0["kid"] }
    }

    @Test func publicHalvesArePublishedAndOnlyThey() async throws {
        let fixture = try await AuthFixture()
        let answer = try await fixture.ask("/.well-known/jwks.json")
        #expect(answer.headers[.contentType] == "application/json")
        let keys = try answer.json(KeySet.self).keys
        #expect(keys.count == 1)
        #expect(Set(keys[0].keys) == ["kty", "crv", "x", "y", "kid", "alg", "use"])
        // A push server that fetched them accepts the tokens.
        let fetched = try await VerificationKeys(jwks: Array(answer.body.readableBytesView))
        let verifier = try JWTTokenVerifier(.init(issuer: "windfire"), keys: fetched, now: { AuthFixture.noon })
        #expect(try await verifier.verify(try await fixture.login().token).client.text == "alice")
    }

    @Test func aRotationRefusesNoValidToken() async throws {
        let folder = try TemporaryFolder("keys")
        try folder.write(try key("a").privateJWK, to: "1.jwk")
        let fixture = try await AuthFixture { $0.signingKeys.folder = folder.path }
        let verifier = try fixture.verifier()
        let byA = try await fixture.login().token
        #expect(try await published(fixture) == ["a"])

        // The new key takes the old one's place at once, as a hasty operator does it.
        try folder.write(try key("b", .edDSA).privateJWK, to: "0.jwk")
        fixture.service.keys.look()
        #expect(try await published(fixture) == ["a", "b"])
        #expect(fixture.service.keys.signing.signer.id.text == "a")

        fixture.advance(by: .seconds(360))
        fixture.service.keys.tick()
        let byB = try await fixture.login().token
        #expect(fixture.service.keys.signing.signer.id.text == "b")
        for token in [byA, byB] { #expect(try await verifier.verify(token).client.text == "alice") }

        // The old file goes; its tokens live on.
        try folder.remove("1.jwk")
        fixture.service.keys.look()
        #expect(try await published(fixture) == ["b", "a"])
        #expect(try await verifier.verify(byA).client.text == "alice")
        fixture.advance(by: .seconds(3_660))
        fixture.service.keys.tick()
        #expect(try await published(fixture) == ["b"])
    }

    @Test func aFileThatIsBrokenChangesNothing() async throws {
        let folder = try TemporaryFolder("keys")
        try folder.write(try key("a").privateJWK, to: "1.jwk")
        let fixture = try await AuthFixture { $0.signingKeys.folder = folder.path }
        try folder.write("half a k", to: "0.pem")
        fixture.service.keys.look()
        #expect(try await published(fixture) == ["a"])
        #expect(throws: WindfireError.self) { try fixture.service.keys.reload() }
        _ = try await fixture.login()
        // It is whole at the next look.
        try folder.write(try key("b").privateJWK, to: "0.pem")
        fixture.service.keys.look()
        #expect(try await published(fixture) == ["a", "b"])
    }

    @Test func aSingleReplicaMakesItsKeyOnceAndKeepsIt() async throws {
        let folder = try TemporaryFolder("data")
        let first = try await AuthFixture { $0.signingKeys.dataFolder = folder.path }
        let token = try await first.login().token
        let second = try await AuthFixture { $0.signingKeys.dataFolder = folder.path }
        #expect(try await second.verifier().verify(token).client.text == "alice")
        #expect(try await published(first) == (try await published(second)))
    }

    @Test func secretsAreNotPublished() async throws {
        let folder = try TemporaryFolder("keys")
        try folder.write(try key("s", .hs256).privateJWK, to: "s.jwk")
        let fixture = try await AuthFixture { $0.signingKeys.files = [folder.path("s.jwk")] }
        #expect(try await published(fixture) == [])
        let token = try await fixture.login().token
        let verifier = try JWTTokenVerifier(
            .init(issuer: "windfire", algorithms: [.hs256]), keys: fixture.service.keys, now: { AuthFixture.noon })
        #expect(try await verifier.verify(token).client.text == "alice")
        #expect(try await fixture.post("/v1/token/refresh", "", bearer: token).status == .ok)
    }

    @Test func outsideOfDevItRefusesToStartUnsafely() async throws {
        let empty = try TemporaryFolder("empty")
        let folder = try TemporaryFolder("keys")
        try folder.write(try key("a").privateJWK, to: "a.jwk")
        let table: [(String, (inout AuthServiceConfiguration) -> Void)] = [
            ("there are no signing keys", { $0.signingKeys.folder = nil }),
            ("cannot read", { $0.signingKeys.folder = "/does/not/exist" }),
            ("no *.pem", { $0.signingKeys.folder = empty.path }),
            ("dev is only allowed", { $0.authenticators = [.dev] }),
            ("API key dev", { $0.apiKeys = [APIKeys.entry(name: "x", role: .admin, key: "dev")] }),
            ("no authenticator", { $0.authenticators = [] }),
            ("needs an API key", { $0.apiKeys = [] }),
            ("life of a token", { $0.tokens.life = .seconds(5) }),
            ("cannot read", { $0.authenticators = [.file(path: "/does/not/exist")] }),
        ]
        for (words, change) in table {
            let failure = await #expect(throws: WindfireError.self) {
                _ = try await AuthFixture { configuration in
                    configuration.isDev = false
                    configuration.authenticators = [.backend(.none)]
                    configuration.signingKeys.folder = folder.path
                    change(&configuration)
                }
            }
            #expect(failure?.code == .configurationInvalid)
            #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "") should say \(words)")
        }
    }
}

extension TemporaryFolder {
    fileprivate func remove(_ inside: String) throws {
        try FileManager.default.removeItem(atPath: path(inside))
    }
}
