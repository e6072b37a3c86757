import Crypto
import Testing

@testable import Common

// What the token tests build tokens from: our own keys, foreign ones, and headers and payloads of any form.

/// Unix seconds at which these tests play.
let noon: Int64 = 1_800_000_000

struct Fixture {
    let key: SigningKey
    let verifier: JWTTokenVerifier

    init(_ algorithm: TokenAlgorithm = .es256, id: String = "k1") throws {
        key = try SigningKey.generate(algorithm, id: try #require(KeyID(id)))
        verifier = try JWTTokenVerifier(
            .init(issuer: "windfire", algorithms: algorithm.isSymmetric ? [.hs256] : [.es256, .edDSA]),
            keys: SigningKeys(signer: key).verification, now: { noon })
    }

    static func claims(permissions: Permissions = .none) -> TokenClaims {
        TokenClaims(
            client: ClientID(unchecked: "alice"), device: DeviceID(unchecked: "phone"), id: "j-1",
            generation: Generation(3), issuedAt: noon - 10, expiresAt: noon + 3590, node: NodeID(unchecked: "n1"),
            permissions: permissions)
    }

    func good(permissions: Permissions = .none) throws -> String {
        try TokenSigner(issuer: "windfire").sign(Self.claims(permissions: permissions), with: key)
    }

    /// A payload like the good one's, changed.
    static func payload(_ change: (inout TokenPayload) -> Void = { _ in }) -> TokenPayload {
        var payload = TokenPayload(
            iss: "windfire", aud: .one("windfire-push"), sub: "alice", dev: "phone", jti: "j-1", gen: 3,
            iat: noon - 10, nbf: noon - 10, exp: noon + 3590, node: "n1", perm: nil)
        change(&payload)
        return payload
    }

    /// A token with this payload, signed by our key.
    func signed(_ change: (inout TokenPayload) -> Void) throws -> String {
        try TokenSigner(issuer: "unused").sign(Self.payload(change), with: key)
    }

    /// A token of any header and payload, properly signed by our key.
    func signed(header: String, payload: String) throws -> String {
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        return signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
    }

    static let payloadJSON =
        #"{"iss":"windfire","aud":"windfire-push","sub":"alice","dev":"phone","jti":"j-1","gen":3,"iat":1799999990,"nbf":1799999990,"exp":1800003590}"#

    func rejection(of token: String) async -> TokenRejection? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error
        }
    }
}
