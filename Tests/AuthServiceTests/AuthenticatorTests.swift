import Common
import FoundationEssentials
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import AuthService

@Suite struct StaticAuthenticatorTests {
    /// Cheap enough for tests.
    static let cost = SecretHash.Cost(logN: 10, blockSize: 8, parallelism: 1)
    static let salt = [UInt8](0..<16)

    private func file(_ clients: [(String, String)], extra: String = "") throws -> String {
        let rows = try clients.map { client, secret in
            let hash = try SecretHash(secret: secret, salt: Self.salt, cost: Self.cost)
            return #"{"client":"\#(client)","secret":"\#(hash)"\#(extra)}"#
        }
        return #"{"clients":[\#(rows.joined(separator: ","))]}"#
    }

    @Test func knownClientsWithTheirSecretsAreLetIn() async throws {
        let folder = try TemporaryFolder("clients")
        let path = try folder.write(
            try file([("alice", "open sesame")], extra: #","permissions":{"pub":["a"],"sub":["b"],"send":true}"#),
            to: "clients.json")
        let fixture = try await AuthFixture { $0.authenticators = [.file(path: path)] }
        // Twice: the second time from memory.
        for _ in 0..<2 {
            let answer = try await fixture.post("/v1/token", #"{"client":"alice","secret":"open sesame"}"#)
            let token = try answer.json(LoginAnswer.self).token
            #expect(
                try await fixture.verifier().verify(token).permissions
                    == Permissions(publish: ["a"], subscribe: ["b"], send: true))
        }
        var details: Set<String> = []
        for body in [
            #"{"client":"alice","secret":"open sesam"}"#, #"{"client":"alice","secret":""}"#,
            #"{"client":"mallory","secret":"open sesame"}"#, #"{"client":"alice"}"#, #"{"secret":"open sesame"}"#,
            #"{"client":"alice","secret":"\#(String(repeating: "x", count: 2_000))"}"#,
        ] {
            details.insert(try await fixture.post("/v1/token", body).problem(.unauthorized))
        }
        #expect(details == ["the client or its credentials are not valid"])
    }

    @Test func aChangedSecretIsAskedForAgain() async throws {
        let authenticator = try StaticAuthenticator(ClientFile(json: Array(try file([("alice", "old")]).utf8)))
        let client = ClientID(unchecked: "alice")
        _ = try await authenticator.authenticate(.init(client: client, secret: "old"))
        authenticator.replace(with: try ClientFile(json: Array(try file([("alice", "new")]).utf8)))
        await #expect(throws: WindfireError.self) {
            try await authenticator.authenticate(.init(client: client, secret: "old"))
        }
        _ = try await authenticator.authenticate(.init(client: client, secret: "new"))
    }

    /// RFC 7914, section 12: the second vector has N = 1024, r = 8, p = 16, beyond what a file may ask; so the form is
    /// checked, and scrypt itself is swift-crypto's.
    @Test func hashesAreWrittenAndReadBack() throws {
        let hash = try SecretHash(secret: "secret", salt: Self.salt, cost: Self.cost)
        let read = try SecretHash(hash.description)
        #expect(read == hash)
        #expect(read.matches("secret"))
        #expect(!read.matches("Secret"))
        #expect(!read.matches(""))
        #expect(hash.description.hasPrefix("scrypt$10$8$1$AAECAwQFBgcICQoLDA0ODw$"))
    }

    @Test(arguments: [
        "", "secret", "scrypt$10$8$1$AAECAwQFBgcICQoLDA0ODw$AA", "scrypt$30$8$1$AAECAwQFBgcICQoLDA0ODw$AA",
        "bcrypt$10$8$1$a$b", "scrypt$10$8$1$AA$\(Base64URL.encode([UInt8](repeating: 0, count: 32)))",
        "scrypt$25$8$1$AAECAwQFBgcICQoLDA0ODw$\(Base64URL.encode([UInt8](repeating: 0, count: 32)))",
        "scrypt$-1$8$1$AAECAwQFBgcICQoLDA0ODw$\(Base64URL.encode([UInt8](repeating: 0, count: 32)))",
    ])
    func hashesOfAnotherFormAreRefused(text: String) throws {
        let failure = #expect(throws: WindfireError.self) { try SecretHash(text) }
        #expect(failure?.code == .configurationInvalid)
    }

    @Test func aWrongRowOfTheFileIsNamedByItsPlace() throws {
        let good = try file([("a", "x")]).dropLast(2)
        for (row, words) in [
            (#"{"client":"b","secret":"plain"}"#, "client 2 of the client file has no valid hash"),
            (
                try String(file([("a", "y")]).dropFirst(12).dropLast(2)),
                "client 2 of the client file stands there twice"
            ),
        ] {
            let failure = #expect(throws: WindfireError.self) {
                try ClientFile(json: Array("\(good),\(row)]}".utf8))
            }
            #expect(failure?.message == words)
        }
        #expect(throws: WindfireError.self) { try ClientFile(json: Array("[]".utf8)) }
    }
}

/// The customer's own tokens.
@Suite struct JWTAuthenticatorTests {
    static let secret = "a shared secret of at least 32 bytes!"

    private func configuration() -> JWTAuthenticator.Configuration {
        .init(keys: .secret(Self.secret), issuer: "https://login.example", audience: "push")
    }

    private func token(
        _ payload: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#, secret: String = secret
    ) throws -> String {
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        let key = try SigningKey(
            file: #"{"kty":"oct","k":"\#(Base64URL.encode(Array(secret.utf8)))"}"#,
            defaultID: try #require(KeyID("s")))
        return signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
    }

    private static let good =
        #"{"iss":"https://login.example","aud":["push","mail"],"sub":"alice","exp":1800000100.5,"iat":1799999900}"#

    @Test func theSubjectBecomesTheClient() async throws {
        let fixture = try await AuthFixture { $0.authenticators = [.jwt(configuration()), .dev] }
        let token = try token(Self.good)
        for body in ["{}", #"{"client":"alice"}"#] {
            let answer = try await fixture.post("/v1/token", body, bearer: token).json(LoginAnswer.self)
            #expect(answer.client == "alice")
        }
        let answer = try await fixture.post("/v1/token", #"{"secret":"\#(token)"}"#).json(LoginAnswer.self)
        #expect(answer.client == "alice")
        // Other credentials still find their authenticator.
        #expect(try await fixture.login("bob").client == "bob")
    }

    @Test func aTokenForAnotherClientIsForbidden() async throws {
        let fixture = try await AuthFixture { $0.authenticators = [.jwt(configuration())] }
        #expect(
            try await fixture.post("/v1/token", #"{"client":"bob"}"#, bearer: try token(Self.good)).problem(.forbidden)
                == "the token is for another client")
    }

    @Test func wrongTokensAreAllRefusedAlike() async throws {
        let fixture = try await AuthFixture {
            $0.authenticators = [.jwt(configuration())]
            $0.secretFailures = .init(failuresMax: 1_000)
            $0.addressFailures = .init(failuresMax: 1_000)
        }
        let good = try token(Self.good)
        let none = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + Base64URL.encode(Array(Self.good.utf8))
        let wrong = [
            try token(Self.good, secret: "another secret of at least 32 bytes"),
            try token(Self.good, header: #"{"alg":"none"}"#),
            try token(Self.good, header: #"{"alg":"RS256"}"#),
            try token(Self.good, header: #"{"alg":"HS256","jku":"https://evil.example"}"#),
            try token(Self.good.replacing("login.example", with: "evil.example")),
            try token(Self.good.replacing(#"["push","mail"]"#, with: #""mail""#)),
            try token(Self.good.replacing(#""aud":["push","mail"],"#, with: "")),
            try token(Self.good.replacing("1800000100.5", with: "1799999900")),
            try token(Self.good.replacing(#""exp":1800000100.5,"#, with: "")),
            try token(Self.good.replacing("1800000100.5", with: "1e400")),
            try token(Self.good.replacing("1799999900", with: "1800000200")),
            try token(Self.good.replacing("\"alice\"", with: "\"a|b\"")),
            try token(Self.good.replacing("\"alice\"", with: "7")),
            none + ".", none + ".AAAA", String(good.dropLast()), "eyJ.eyJ.AA",
        ]
        var details: Set<String> = []
        for token in wrong {
            details.insert(try await fixture.post("/v1/token", "{}", bearer: token).problem(.unauthorized))
        }
        #expect(details == ["the client or its credentials are not valid"])
        #expect(try await fixture.post("/v1/token", "{}", bearer: good).status == .ok)
    }

    @Test func whileTheIssuersKeysAreUnknownTheAnswerSaysSo() async throws {
        var settings = configuration()
        settings.keys = .jwks(url: "http://127.0.0.1:9/jwks")
        let fixture = try await AuthFixture { $0.authenticators = [.jwt(settings)] }
        let answer = try await fixture.post("/v1/token", "{}", bearer: try token(Self.good))
        try answer.problem(.backendUnavailable)
        #expect(answer.headers[.retryAfter] == "5")
        let detail = try await fixture.ask("/readyz").problem(.notReady)
        #expect(detail == "missing: keys")
    }

    @Test func badSettingsStopTheStart() async throws {
        var short = configuration()
        short.keys = .secret("short")
        var mixed = configuration()
        mixed.keys = .jwks(url: "https://x")
        mixed.algorithms = [.rs256, .hs256]
        var scheme = configuration()
        scheme.keys = .jwks(url: "file:///etc/passwd")
        for settings in [short, mixed, scheme] {
            let failure = await #expect(throws: WindfireError.self) {
                _ = try await AuthFixture { $0.authenticators = [.jwt(settings)] }
            }
            #expect(failure?.code == .configurationInvalid)
        }
    }
}
