import Testing

@testable import Common

@Suite struct KeySetTests {
    @Test func whatIsPublishedIsReadBack() async throws {
        let a = try SigningKey.generate(.es256, id: try #require(KeyID("a")))
        let b = try SigningKey.generate(.edDSA, id: try #require(KeyID("b")))
        let rows = [a, b].compactMap(\.publicJWK).map { row in
            let y = row.y.map { #","y":"\#($0)""# } ?? ""
            return #"{"kty":"\#(row.kty)","crv":"\#(row.crv)","x":"\#(row.x)"\#(y),"kid":"\#(row.kid)","use":"sig"}"#
        }
        let keys = try await VerificationKeys(jwks: Array(#"{"keys":[\#(rows.joined(separator: ","))]}"#.utf8))
        #expect(keys.ids == [a.id, b.id])
        let verifier = try JWTTokenVerifier(.init(issuer: "windfire"), keys: keys, now: { noon })
        for key in [a, b] {
            let token = try TokenSigner(issuer: "windfire").sign(Fixture.claims(), with: key)
            #expect(try await verifier.verify(token) == Fixture.claims())
        }
    }

    /// RFC 7517, section 5: what is not understood is ignored. The RSA key is that of its appendix A.1.
    @Test func keysOfUnknownKindsAreLeftOut() async throws {
        let json = """
            {"keys":[
                {"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"1"},
                {"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0","kid":"2"},
                {"kty":"Quantum","kid":"3"},
                {"kid":"4"}, 5,
                {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"enc","use":"enc"},
                {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
                {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"},
                {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good"}
            ]}
            """
        let keys = try await VerificationKeys(jwks: Array(json.utf8))
        #expect(keys.ids.map(\.text) == ["2011-04-29", "good"])
        #expect(keys.ids.compactMap { keys.byID[$0]?.algorithm } == [.rs256, .edDSA])
    }

    @Test(arguments: ["", "x", "{}", "[]", #"{"keys":{}}"#])
    func whatIsNoKeySetIsRefused(text: String) async {
        await #expect(throws: WindfireError(.invalidJSON, "the key set is not a JSON Web Key Set")) {
            try await VerificationKeys(jwks: Array(text.utf8))
        }
    }

    @Test func aSetWithoutAUsableKeyOrWithTooManyIsRefused() async {
        await #expect(throws: WindfireError(.invalidRequest, "the key set has no usable key")) {
            try await VerificationKeys(jwks: Array(#"{"keys":[]}"#.utf8))
        }
        let rows = (0..<65).map { #"{"kty":"x","kid":"\#($0)"}"# }.joined(separator: ",")
        await #expect(throws: WindfireError(.invalidRequest, "the key set has more than 64 keys")) {
            try await VerificationKeys(jwks: Array(#"{"keys":[\#(rows)]}"#.utf8))
        }
    }
}
