import Crypto
import TestKit
import Testing

@testable import Common

/// Every way to make a wrong token out of a right one. None may be accepted.
@Suite struct TokenMutationTests {
    let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func theUnchangedTokenIsAccepted() async throws {
        let claims = try await fixture.verifier.verify(try fixture.good())
        #expect(claims == Fixture.claims())
    }

    @Test func noTruncatedTokenIsAccepted() async throws {
        let token = try fixture.good()
        var accepted = 0
        for length in 0..<token.utf8.count where await fixture.rejection(of: String(token.prefix(length))) == nil {
            accepted += 1
        }
        #expect(accepted == 0)
    }

    /// All eight bits of every tenth byte, and one bit of every byte.
    @Test func noTokenWithAFlippedBitIsAccepted() async throws {
        let bytes = Array(try fixture.good().utf8)
        var tried = 0
        var accepted: [Int] = []
        for place in bytes.indices {
            for bit in place % 10 == 0 ? Array(0..<7) : [place % 7] {
                var changed = bytes
                changed[place] ^= 1 << UInt8(bit)
                tried += 1
                if await fixture.rejection(of: String(decoding: changed, as: UTF8.self)) == nil {
                    accepted.append(place)
                }
            }
        }
        #expect(accepted == [])
        #expect(tried > bytes.count)
    }

    /// The unused bits of the last character do not make a second spelling of the same signature.
    @Test func aSignatureHasOneSpelling() async throws {
        let token = try fixture.good()
        let last = try #require(token.last)
        var accepted = 0
        for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=" where character != last {
            if await fixture.rejection(of: token.dropLast() + String(character)) == nil { accepted += 1 }
        }
        #expect(accepted == 0)
        #expect(await fixture.rejection(of: token + "=") == .malformed)
        #expect(await fixture.rejection(of: token + "\n") == .malformed)
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS256", "ES384", "EdDSA", "es256"])
    func aHeaderCannotChooseTheAlgorithm(algorithm: String) async throws {
        let header = #"{"alg":"\#(algorithm)","kid":"k1"}"#
        #expect(
            await fixture.rejection(of: try fixture.signed(header: header, payload: Fixture.payloadJSON))
                == .algorithmRefused)
        let unsigned =
            Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(Fixture.payloadJSON.utf8))
        #expect(await fixture.rejection(of: unsigned + ".") == .malformed)
        #expect(await fixture.rejection(of: unsigned) == .malformed)
    }

    /// CVE-2015-9235 and its kin: the public key, which everybody has, used as an HMAC secret.
    @Test func aPublicKeyIsNotASecret() async throws {
        let row = try #require(fixture.key.publicJWK)
        let spellings = [
            row.x + (row.y ?? ""), row.x, #"{"kty":"EC","crv":"P-256","x":"\#(row.x)","y":"\#(row.y ?? "")"}"#,
        ]
        for spelling in spellings {
            let signed =
                Base64URL.encode(Array(#"{"alg":"HS256","kid":"k1"}"#.utf8)) + "."
                + Base64URL.encode(Array(Fixture.payloadJSON.utf8))
            let code = HMAC<SHA256>.authenticationCode(
                for: Array(signed.utf8), using: SymmetricKey(data: Array(spelling.utf8)))
            #expect(
                await fixture.rejection(of: signed + "." + Base64URL.encode(Array(code))) == .algorithmRefused)
        }
    }

    @Test func secretsAndPublicKeysAreNotAllowedTogether() {
        #expect(throws: WindfireError(.configurationInvalid, "HS256 cannot be allowed beside public-key algorithms")) {
            try TokenEnvelope(algorithms: [.es256, .hs256])
        }
        #expect(throws: WindfireError(.configurationInvalid, "the list of token algorithms is empty")) {
            try TokenEnvelope(algorithms: [])
        }
    }

    @Test func aForeignKeyUnderOurNameIsRefused() async throws {
        let foreign = try Fixture()
        #expect(await fixture.rejection(of: try foreign.good()) == .badSignature)
    }

    @Test(arguments: [
        "k2", "", "../../etc/passwd", "k1\u{0}", "K1", "k1 ", "'; DROP TABLE keys; --",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
    ])
    func anUnknownKeyIsRefused(id: String) async throws {
        let escaped = id.replacing("\u{0}", with: "\\u0000")
        let token = try fixture.signed(
            header: #"{"alg":"ES256","kid":"\#(escaped)"}"#, payload: Fixture.payloadJSON)
        #expect(await fixture.rejection(of: token) == .unknownKey)
    }

    @Test func aTokenWithoutAKeyIDIsRefused() async throws {
        let token = try fixture.signed(header: #"{"alg":"ES256"}"#, payload: Fixture.payloadJSON)
        #expect(await fixture.rejection(of: token) == .unknownKey)
    }

    /// Headers that bring or point to a key, or demand extensions (RFC 8725, sections 3.9 and 3.10).
    @Test(arguments: [
        #""jku":"https://evil.example/jwks""#, #""jwk":{"kty":"EC"}"#, #""x5u":"https://evil.example/x""#,
        #""x5c":["MIIB"]"#, #""x5t":"AA""#, ##""x5t#S256":"AA""##, #""crit":["exp"]"#, #""jku":null"#,
    ])
    func aHeaderCannotBringItsKey(field: String) async throws {
        let token = try fixture.signed(
            header: #"{"alg":"ES256","kid":"k1",\#(field)}"#, payload: Fixture.payloadJSON)
        #expect(await fixture.rejection(of: token) == .malformed)
    }

    @Test func theTokenThoseTestsStartFromIsItselfAccepted() async throws {
        let token = try fixture.signed(header: #"{"alg":"ES256","kid":"k1"}"#, payload: Fixture.payloadJSON)
        #expect(await fixture.rejection(of: token) == nil)
    }

    @Test func wrongClaimsAreRefused() async throws {
        let table: [(TokenRejection, (inout TokenPayload) -> Void)] = [
            (.wrongIssuer, { $0.iss = "somebody" }),
            (.wrongIssuer, { $0.iss = "windfire " }),
            (.wrongIssuer, { $0.iss = "" }),
            (.wrongAudience, { $0.aud = .one("windfire") }),
            (.wrongAudience, { $0.aud = .several([]) }),
            (.wrongAudience, { $0.aud = .several(["a", "b"]) }),
            (.expired, { $0.exp = noon - 60 }),
            (.expired, { $0.exp = 0 }),
            (.expired, { $0.exp = .min }),
            (.notYetValid, { $0.nbf = noon + 61 }),
            (.notYetValid, { $0.nbf = .max }),
            (.notYetValid, { $0.iat = noon + 61 }),
            (.badClaims, { $0.sub = "" }),
            (.badClaims, { $0.sub = "a|b" }),
            (.badClaims, { $0.sub = String(repeating: "a", count: 129) }),
            (.badClaims, { $0.dev = "" }),
            (.badClaims, { $0.dev = "a\u{1}" }),
            (.badClaims, { $0.jti = "" }),
            (.badClaims, { $0.node = "a/b" }),
        ]
        for (expected, change) in table {
            #expect(await fixture.rejection(of: try fixture.signed(change)) == expected)
        }
    }

    @Test func clocksMayDifferByAMinute() async throws {
        #expect(await fixture.rejection(of: try fixture.signed { $0.exp = noon - 59 }) == nil)
        #expect(await fixture.rejection(of: try fixture.signed { $0.nbf = noon + 60 }) == nil)
        #expect(await fixture.rejection(of: try fixture.signed { $0.iat = noon + 60 }) == nil)
        #expect(await fixture.rejection(of: try fixture.signed { $0.aud = .several(["x", "windfire-push"]) }) == nil)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "\"\"", "{\"iss\":\"windfire\"}",
        Fixture.payloadJSON.replacing("3,", with: "-3,"), Fixture.payloadJSON.replacing("3,", with: "\"3\","),
        Fixture.payloadJSON.replacing("1800003590", with: "1e300"),
        Fixture.payloadJSON.replacing("\"sub\":\"alice\",", with: ""),
        Fixture.payloadJSON.replacing("\"alice\"", with: "{\"a\":1}"),
    ])
    func aPayloadOfAnotherFormIsRefused(json: String) async throws {
        let token = try fixture.signed(header: #"{"alg":"ES256","kid":"k1"}"#, payload: json)
        #expect(await fixture.rejection(of: token) == (json.isEmpty ? .malformed : .badClaims))
    }

    @Test(arguments: ["", ".", "..", "...", "a.b.c", "a.b.c.d", "eyJ.eyJ.sig", " ", "\u{0}", "ä.ö.ü"])
    func whatIsNoTokenIsRefused(text: String) async {
        #expect(await fixture.rejection(of: text) == .malformed)
    }

    @Test func aTokenBeyondFourKiBIsRefusedUnread() async throws {
        let topics = (0..<400).map { "topic/number/\($0)" }
        let token = try fixture.signed(
            header: #"{"alg":"ES256","kid":"k1"}"#,
            payload: String(Fixture.payloadJSON.dropLast())
                + #","perm":{"pub":["\#(topics.joined(separator: "\",\""))"],"sub":[],"send":false}}"#)
        #expect(await fixture.rejection(of: token) == .malformed)
        #expect(throws: WindfireError(.invalidRequest, "the permissions do not fit into a token")) {
            try fixture.good(permissions: Permissions(publish: topics))
        }
    }

    /// Devices learn that a token ended, or that it is not valid, and never why.
    @Test func everyReasonButExpiryGetsTheSameAnswer() {
        for reason in TokenRejection.allCases {
            let expected =
                reason == .expired
                ? WindfireError(.tokenExpired, "the token has expired")
                : WindfireError(.tokenInvalid, "the token is not valid")
            #expect(reason.failure == expected)
        }
    }

    /// Random garbage between two dots, and random tokens with one random byte changed, under a seed that is printed.
    @Test func garbageIsRefusedAndNothingTraps() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("token garbage: seed \(seed)")
        var random = SplitMix(seed: seed)
        let good = Array(try fixture.good().utf8)
        for _ in 0..<2_000 {
            var bytes = good
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] = UInt8.random(in: 0..<128, using: &random)
            guard bytes != good else { continue }
            #expect(await fixture.rejection(of: String(decoding: bytes, as: UTF8.self)) != nil, "seed \(seed)")
            let garbage = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            #expect(await fixture.rejection(of: String(decoding: garbage, as: UTF8.self)) != nil, "seed \(seed)")
        }
    }
}
