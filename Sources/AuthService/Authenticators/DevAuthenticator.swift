import Common

/// Lets any client in with the secret `dev`, and allows everything. Only under `windfire dev`.
package struct DevAuthenticator: Authenticator {
    package static let secret = "dev"
    package static let permissions = Permissions(publish: ["#"], subscribe: ["#"], send: true)

    package let name = "dev"

    package init() {}

    package func recognises(_ attempt: AuthenticationAttempt) -> Bool { attempt.secret != nil }

    package func authenticate(_ attempt: AuthenticationAttempt) async throws(WindfireError) -> AuthenticatedClient {
        guard let client = attempt.client else { throw WindfireError(.invalidRequest, "client is missing") }
        guard attempt.secret == Self.secret else { throw .credentialsRefused() }
        return AuthenticatedClient(client: client, permissions: Self.permissions)
    }
}
