import FoundationEssentials

/// Writes tokens.
package struct TokenSigner: Sendable {
    private let issuer: String
    private let audience: String

    package init(issuer: String, audience: String = "windfire-push") {
        self.issuer = issuer
        self.audience = audience
    }

    /// - Throws: `invalid_request` when the claims do not fit into a token of 4 KiB: too many permissions.
    package func sign(_ claims: TokenClaims, with key: SigningKey) throws(WindfireError) -> String {
        let payload = TokenPayload(
            iss: issuer, aud: .one(audience), sub: claims.client.text, dev: claims.device.text, jti: claims.id,
            gen: claims.generation.value, iat: claims.issuedAt, nbf: claims.issuedAt, exp: claims.expiresAt,
            node: claims.node?.text, perm: claims.permissions == .none ? nil : claims.permissions)
        return try sign(payload, with: key)
    }

    func sign(_ payload: TokenPayload, with key: SigningKey) throws(WindfireError) -> String {
        let json: Data
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            json = try encoder.encode(payload)
        } catch {
            throw WindfireError(.internalError, "the token's claims cannot be encoded", cause: error)
        }
        let signed = key.header + "." + Base64URL.encode(json)
        let token = signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
        guard token.utf8.count <= TokenEnvelope.bytesMax else {
            throw WindfireError(.invalidRequest, "the permissions do not fit into a token")
        }
        return token
    }
}
