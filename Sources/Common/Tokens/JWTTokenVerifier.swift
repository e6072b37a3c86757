import FoundationEssentials

/// Checks Windfire's own tokens. Local and lock-free: it reads one immutable key set, and waits only when a token
/// names a key that is not in it.
///
/// Rough cost of one check with ES256 in a release build: the signature dominates (some 60 µs), the JSON of the payload
/// adds about a tenth, and the header is a dictionary look-up. Each part is decoded once.
package struct JWTTokenVerifier: TokenVerifier {
    package struct Configuration: Sendable {
        /// Exactly what `iss` must say.
        package var issuer: String
        /// What `aud` must be or contain.
        package var audience = "windfire-push"
        package var algorithms: Set<TokenAlgorithm> = [.es256, .edDSA]
        /// How far clocks may be apart.
        package var skewSeconds: Int64 = 60

        package init(
            issuer: String, audience: String = "windfire-push", algorithms: Set<TokenAlgorithm> = [.es256, .edDSA]
        ) {
            self.issuer = issuer
            self.audience = audience
            self.algorithms = algorithms
        }
    }

    private let configuration: Configuration
    private let envelope: TokenEnvelope
    private let keys: any VerificationKeySource
    private let now: @Sendable () -> Int64

    /// - Parameter now: Unix time in seconds.
    /// - Throws: `configuration_invalid` for algorithms that cannot be allowed together.
    package init(
        _ configuration: Configuration, keys: any VerificationKeySource, now: @escaping @Sendable () -> Int64
    ) throws(WindfireError) {
        self.configuration = configuration
        self.keys = keys
        self.now = now
        envelope = try TokenEnvelope(algorithms: configuration.algorithms)
    }

    package func verify(_ token: String) async throws(TokenRejection) -> TokenClaims {
        let bytes = try await envelope.open(token, keys: keys)
        guard let payload = try? JSONDecoder().decode(TokenPayload.self, from: Data(bytes)) else { throw .badClaims }
        guard payload.iss == configuration.issuer else { throw .wrongIssuer }
        guard payload.aud.contains(configuration.audience) else { throw .wrongAudience }
        try TokenTimes(issuedAt: payload.iat, notBefore: payload.nbf, expiresAt: payload.exp)
            .check(now: now(), skewSeconds: configuration.skewSeconds)
        return try Self.claims(of: payload)
    }

    private static func claims(of payload: TokenPayload) throws(TokenRejection) -> TokenClaims {
        guard let client = try? ClientID(payload.sub), let device = try? DeviceID(payload.dev),
            (1...128).contains(payload.jti.utf8.count)
        else { throw .badClaims }
        let node: NodeID?
        switch payload.node {
        case .some(let text):
            guard let id = try? NodeID(text) else { throw .badClaims }
            node = id
        case .none:
            node = nil
        }
        return TokenClaims(
            client: client, device: device, id: payload.jti, generation: Generation(payload.gen),
            issuedAt: payload.iat, expiresAt: payload.exp, node: node, permissions: payload.perm ?? .none)
    }
}

/// The time claims of a token (RFC 7519, sections 4.1.4 to 4.1.6), in Unix seconds.
package struct TokenTimes: Sendable {
    package var issuedAt: Int64?
    package var notBefore: Int64?
    package var expiresAt: Int64

    package init(issuedAt: Int64?, notBefore: Int64?, expiresAt: Int64) {
        self.issuedAt = issuedAt
        self.notBefore = notBefore
        self.expiresAt = expiresAt
    }

    /// No sum with a claim is formed, so none can overflow.
    package func check(now: Int64, skewSeconds: Int64) throws(TokenRejection) {
        guard expiresAt > now - skewSeconds else { throw .expired }
        guard notBefore ?? now <= now + skewSeconds, issuedAt ?? now <= now + skewSeconds else { throw .notYetValid }
    }
}

extension TokenRejection {
    /// What the bearer is told: that the token ended, or that it is not valid, and never why.
    package var failure: WindfireError {
        switch self {
        case .expired: WindfireError(.tokenExpired, "the token has expired")
        case .malformed, .algorithmRefused, .unknownKey, .badSignature, .wrongIssuer, .wrongAudience, .notYetValid,
            .badClaims:
            WindfireError(.tokenInvalid, "the token is not valid")
        }
    }
}
