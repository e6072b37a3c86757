import Common
import HTTPSupport
import Logging

/// The application's server asks on a client's behalf, with an API key of the role push or admin. The client was
/// authenticated by the application, in whatever way.
package struct BackendAuthenticator: Authenticator {
    package let name = "backend"

    private let gate: APIKeyGate
    private let permissions: Permissions
    private let logger: Logger

    /// - Parameter permissions: of every token asked for this way.
    package init(gate: APIKeyGate, permissions: Permissions, logger: Logger) {
        self.gate = gate
        self.permissions = permissions
        self.logger = logger
    }

    package func recognises(_ attempt: AuthenticationAttempt) -> Bool {
        attempt.secret == nil && attempt.bearer.map { !CompactToken.isPlausible($0) } ?? false
    }

    package func authenticate(_ attempt: AuthenticationAttempt) async throws(WindfireError) -> AuthenticatedClient {
        _ = try gate.admit(bearer: attempt.bearer, from: attempt.address, as: .push, logger: logger)
        guard let client = attempt.client else { throw WindfireError(.invalidRequest, "client is missing") }
        return AuthenticatedClient(client: client, permissions: permissions)
    }
}
