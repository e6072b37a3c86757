import Common
import FoundationEssentials
import HTTPSupport
import Logging

/// Verifies the customer's own token, as its login service issues it, and makes its subject the client. The token comes
/// in `Authorization: Bearer`, or as `secret` where headers are hard to set.
package struct JWTAuthenticator: Authenticator {
    package struct Configuration: Sendable, Equatable {
        package enum Keys: Sendable, Equatable {
            /// The issuer's published keys.
            case jwks(url: String)
            /// HS256, at least 32 bytes.
            case secret(String)
        }

        package var keys: Keys
        /// Exactly what `iss` must say.
        package var issuer: String
        /// What `aud` must be or contain. Without it, a token for any of the issuer's services would do, so it is
        /// demanded.
        package var audience: String
        /// With published keys: which algorithms are allowed.
        package var algorithms: Set<TokenAlgorithm> = [.rs256, .es256, .edDSA]
        /// The claim that names the client.
        package var clientClaim = "sub"
        /// Of every token given out on the strength of such a token.
        package var permissions = ClientFile.permissionsDefault

        package init(keys: Keys, issuer: String, audience: String) {
            self.keys = keys
            self.issuer = issuer
            self.audience = audience
        }
    }

    package let name = "jwt"

    private static let skewSeconds: Int64 = 60

    private let configuration: Configuration
    private let envelope: TokenEnvelope
    private let keys: any VerificationKeySource
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - keys: of the issuer; for a shared secret use `VerificationKeys([:], unnamed: …)`.
    ///   - now: Unix seconds.
    package init(
        _ configuration: Configuration, keys: any VerificationKeySource, now: @escaping @Sendable () -> Int64
    ) throws(WindfireError) {
        self.configuration = configuration
        self.keys = keys
        self.now = now
        switch configuration.keys {
        case .jwks: envelope = try TokenEnvelope(algorithms: configuration.algorithms)
        case .secret: envelope = try TokenEnvelope(algorithms: [.hs256])
        }
    }

    package func recognises(_ attempt: AuthenticationAttempt) -> Bool {
        (attempt.bearer ?? attempt.secret).map(CompactToken.isPlausible) ?? false
    }

    package func authenticate(_ attempt: AuthenticationAttempt) async throws(WindfireError) -> AuthenticatedClient {
        guard let token = attempt.bearer ?? attempt.secret else { throw .credentialsRefused() }
        guard !keys.current.isEmpty else {
            throw WindfireError(.backendUnavailable, "the issuer's keys are not known yet", retryAfter: .seconds(5))
        }
        let client: ClientID
        do {
            client = try await verify(token)
        } catch {
            throw .credentialsRefused()
        }
        guard attempt.client == nil || attempt.client == client else {
            throw WindfireError(.forbidden, "the token is for another client")
        }
        return AuthenticatedClient(client: client, permissions: configuration.permissions)
    }

    func verify(_ token: String) async throws(TokenRejection) -> ClientID {
        let bytes = try await envelope.open(token, keys: keys)
        guard let claims = try? JSONDecoder().decode(ForeignClaims.self, from: Data(bytes)) else { throw .badClaims }
        guard claims.text("iss") == configuration.issuer else { throw .wrongIssuer }
        guard claims.audience?.contains(configuration.audience) ?? false else { throw .wrongAudience }
        guard let expiresAt = claims.seconds("exp") else { throw .badClaims }
        try TokenTimes(issuedAt: claims.seconds("iat"), notBefore: claims.seconds("nbf"), expiresAt: expiresAt)
            .check(now: now(), skewSeconds: Self.skewSeconds)
        guard let text = claims.text(configuration.clientClaim), let client = try? ClientID(text) else {
            throw .badClaims
        }
        return client
    }
}

/// A payload whose claims have names we learn from configuration.
private struct ForeignClaims: Decodable {
    private let container: KeyedDecodingContainer<Name>

    init(from decoder: any Decoder) throws { container = try decoder.container(keyedBy: Name.self) }

    func text(_ claim: String) -> String? {
        Name(stringValue: claim).flatMap { try? container.decode(String.self, forKey: $0) }
    }

    var audience: Audience? { Name(stringValue: "aud").flatMap { try? container.decode(Audience.self, forKey: $0) } }

    /// NumericDate may have a fraction (RFC 7519, section 2).
    func seconds(_ claim: String) -> Int64? {
        Name(stringValue: claim).flatMap { try? container.decode(Double.self, forKey: $0) }.flatMap {
            Int64(exactly: $0.rounded(.down))
        }
    }

    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// Whether a credential has the look of a JWT: three parts. API keys and secrets rarely do; it only decides who is
/// asked.
enum CompactToken {
    static func isPlausible(_ text: String) -> Bool {
        text.utf8.count <= TokenEnvelope.bytesMax
            && text.split(separator: ".", omittingEmptySubsequences: false).count == 3 && text.hasPrefix("ey")
    }
}
