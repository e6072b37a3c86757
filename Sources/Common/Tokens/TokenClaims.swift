/// What a verified token says. Times are Unix seconds.
package struct TokenClaims: Hashable, Sendable {
    package let client: ClientID
    /// The device the token is for.
    package let device: DeviceID
    /// `jti`.
    package let id: String
    package let generation: Generation
    package let issuedAt: Int64
    package let expiresAt: Int64
    /// The node that was handed out with it: a hint, not a binding.
    package let node: NodeID?
    package let permissions: Permissions

    package init(
        client: ClientID, device: DeviceID, id: String, generation: Generation, issuedAt: Int64, expiresAt: Int64,
        node: NodeID?, permissions: Permissions
    ) {
        self.client = client
        self.device = device
        self.id = id
        self.generation = generation
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.node = node
        self.permissions = permissions
    }
}

/// What the bearer of a token may do.
package struct Permissions: Hashable, Sendable, Codable {
    /// Topic patterns it may publish to.
    package var publish: [String]
    /// Topic patterns it may subscribe to.
    package var subscribe: [String]
    /// Whether it may send to other clients directly.
    package var send: Bool

    package init(publish: [String] = [], subscribe: [String] = [], send: Bool = false) {
        self.publish = publish
        self.subscribe = subscribe
        self.send = send
    }

    package static let none = Permissions()

    enum CodingKeys: String, CodingKey {
        case publish = "pub"
        case subscribe = "sub"
        case send
    }
}

/// Why a token was refused. Devices are told only `token_invalid` or `token_expired`; the log has the rest.
package enum TokenRejection: String, Error, Hashable, Sendable, CaseIterable {
    case malformed, algorithmRefused, unknownKey, badSignature, wrongIssuer, wrongAudience, expired, notYetValid,
        badClaims
}

/// Checks tokens locally, without asking anyone: keys are fetched ahead and cached.
package protocol TokenVerifier: Sendable {
    func verify(_ token: String) async throws(TokenRejection) -> TokenClaims
}
