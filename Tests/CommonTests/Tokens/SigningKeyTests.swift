import Testing

@testable import Common

@Suite struct SigningKeyTests {
    @Test(arguments: [TokenAlgorithm.es256, .edDSA, .hs256])
    func tokensOfEachAlgorithmAreVerified(algorithm: TokenAlgorithm) async throws {
        let fixture = try Fixture(algorithm)
        let permissions = Permissions(publish: ["room/+"], subscribe: ["room/#", "news"], send: true)
        let claims = try await fixture.verifier.verify(try fixture.good(permissions: permissions))
        #expect(claims == Fixture.claims(permissions: permissions))
    }

    @Test(arguments: [TokenAlgorithm.rs256, .es384, .ps512])
    func otherAlgorithmsAreForVerifyingOnly(algorithm: TokenAlgorithm) throws {
        let id = try #require(KeyID("a"))
        #expect(throws: WindfireError(.notSupported, "tokens are signed with ES256, EdDSA or HS256")) {
            try SigningKey.generate(algorithm, id: id)
        }
    }

    @Test(arguments: [TokenAlgorithm.es256, .edDSA, .hs256])
    func aKeySurvivesItsFile(algorithm: TokenAlgorithm) throws {
        let other = try #require(KeyID("other"))
        let key = try SigningKey.generate(algorithm, id: try #require(KeyID("a-1")))
        let read = try SigningKey(file: key.privateJWK, defaultID: other)
        #expect(read.id == key.id)
        #expect(read.algorithm == algorithm)
        #expect(read.fingerprint == key.fingerprint)
    }

    /// Made by `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` and `-algorithm ED25519`.
    @Test func keysThatOpenSSLWroteAreRead() throws {
        let id = try #require(KeyID("2026-01"))
        let p256 = try SigningKey(
            file: """
                -----BEGIN PRIVATE KEY-----
                MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgm+I1Qii+OY+S3YAp
                f2QAH6FT8bySfzzi01e2qNLSDyuhRANCAATYr0Vnq//PR2ES7u6+LmNzP+YGPy/x
                K0niqosTQLjxNHmkwHkWMQiszUXnEQZuWiXMZX/8we+jJJGdaCgCduEE
                -----END PRIVATE KEY-----
                """, defaultID: id)
        #expect(p256.algorithm == .es256)
        #expect(p256.id == id)
        let ed25519 = try SigningKey(
            file: """
                -----BEGIN PRIVATE KEY-----
                MC4CAQAwBQYDK2VwBCIEIIS3GSHaqWWKxBPegMK5O6x9DHb4wgkDq681cLamyAxv
                -----END PRIVATE KEY-----
                """, defaultID: id)
        #expect(ed25519.algorithm == .edDSA)
    }

    @Test(arguments: [
        "", "hello", "{}", #"{"kty":"EC"}"#, #"{"kty":"EC","crv":"P-256","d":"AA"}"#, #"{"kty":"oct","k":"c2hvcnQ"}"#,
        #"{"kty":"RSA","n":"AA","e":"AQAB","d":"AA"}"#, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        #"{"kty":"OKP","crv":"Ed25519","kid":"no spaces","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
    ])
    func whatIsNoKeyIsRefusedWithoutQuotingIt(text: String) throws {
        let id = try #require(KeyID("file"))
        let failure = #expect(throws: WindfireError.self) { try SigningKey(file: text, defaultID: id) }
        #expect(failure?.code == .configurationInvalid)
        #expect(failure?.message.contains("file") == true)
        #expect(text.isEmpty || failure?.message.contains(text) == false)
    }

    /// The example key of RFC 8037, appendix A: our public half and signature are the RFC's.
    @Test func ed25519AgreesWithRFC8037() throws {
        let key = try SigningKey(
            file: #"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
            defaultID: try #require(KeyID("rfc")))
        #expect(key.publicJWK?.x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signature = try #require(
            Base64URL.decode(
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".utf8))
        #expect(key.verification.isValid(signature: signature, for: Array(signed.utf8)[...]))
    }

    /// RFC 7515, appendix A.3: ES256.
    @Test func es256AgreesWithRFC7515() throws {
        let key = try SigningKey(
            file: #"{"kty":"EC","crv":"P-256","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
            defaultID: try #require(KeyID("rfc")))
        #expect(key.publicJWK?.x == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
        #expect(key.publicJWK?.y == "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
        let signed =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let signature = try #require(
            Base64URL.decode(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q".utf8))
        #expect(key.verification.isValid(signature: signature, for: Array(signed.utf8)[...]))
        #expect(!key.verification.isValid(signature: signature, for: Array((signed + "a").utf8)[...]))
        #expect(!key.verification.isValid(signature: [], for: Array(signed.utf8)[...]))
    }

    @Test func theSecretIsNeverPublished() throws {
        let secret = try SigningKey.generate(.hs256, id: try #require(KeyID("s")))
        #expect(SigningKeys(signer: secret).publicKeys == [])
        #expect(throws: WindfireError(.configurationInvalid, "a secret for HS256 has at least 32 bytes")) {
            try VerificationKey(secret: Array(repeating: 1, count: 31))
        }
    }

    @Test func base64URLHasOneSpelling() {
        #expect(Base64URL.encode([]) == "")
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        for text in ["A", "AB", "-_9", "AAB=", "+/8", "AA AA", "A=", "ABCDE"] {
            #expect(Base64URL.decode(text.utf8) == nil, "\(text)")
        }
    }
}
