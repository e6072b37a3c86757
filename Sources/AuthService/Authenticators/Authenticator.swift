import Common

/// Answers one question: may this caller have a token, and for whom? One per way of knowing clients; a new one is a
/// file here and a case of `AuthenticatorChoice`.
package protocol Authenticator: Sendable {
    /// For metrics and logs.
    var name: String { get }

    /// Whether what was presented is of the kind that this one checks. Cheap, and no statement about validity.
    func recognises(_ attempt: AuthenticationAttempt) -> Bool

    /// - Throws: `unauthorized`, the same for every reason; `forbidden` for a valid caller who asks for another client;
    ///   `backend_unavailable` or `rate_limited` when it cannot be told now.
    func authenticate(_ attempt: AuthenticationAttempt) async throws(WindfireError) -> AuthenticatedClient
}

/// What a caller of `POST /v1/token` presents.
package struct AuthenticationAttempt: Sendable {
    /// Nil when the credential itself names the client.
    package var client: ClientID?
    package var secret: String?
    /// Of `Authorization: Bearer`.
    package var bearer: String?
    package var address: String

    package init(client: ClientID?, secret: String? = nil, bearer: String? = nil, address: String = "local") {
        self.client = client
        self.secret = secret
        self.bearer = bearer
        self.address = address
    }
}

package struct AuthenticatedClient: Hashable, Sendable {
    package let client: ClientID
    package let permissions: Permissions

    package init(client: ClientID, permissions: Permissions) {
        self.client = client
        self.permissions = permissions
    }
}

extension WindfireError {
    /// One answer for every wrong credential, so that nobody learns which clients exist.
    static func credentialsRefused(line: UInt = #line, file: StaticString = #fileID) -> WindfireError {
        WindfireError(.unauthorized, "the client or its credentials are not valid", file: file, line: line)
    }
}
