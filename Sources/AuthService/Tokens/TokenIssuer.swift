import Common

/// Makes tokens: who, for which device, how long, under which generation, and with which node.
package struct TokenIssuer: Sendable {
    package struct Issued: Sendable {
        package let token: String
        package let claims: TokenClaims
        package let choice: NodeDirectory.Choice
    }

    private let signer: TokenSigner
    private let keys: KeyKeeper
    private let generations: Generations
    private let directory: NodeDirectory
    private let verifier: JWTTokenVerifier
    private let lifeSeconds: Int64
    /// Unix milliseconds.
    private let now: @Sendable () -> UInt64

    init(
        signer: TokenSigner, keys: KeyKeeper, generations: Generations, directory: NodeDirectory,
        verifier: JWTTokenVerifier, life: Duration, now: @escaping @Sendable () -> UInt64
    ) {
        self.signer = signer
        self.keys = keys
        self.generations = generations
        self.directory = directory
        self.verifier = verifier
        lifeSeconds = life.components.seconds
        self.now = now
    }

    /// A first token for a client that was let in.
    /// - Throws: `no_node` when no push server can take it.
    package func issue(
        to client: AuthenticatedClient, device: DeviceID, zone: String?
    ) async throws(WindfireError) -> Issued {
        guard let choice = directory.assign(client.client, zone: zone) else { throw .noNodeNow }
        let generation = await generations.generation(of: client.client)
        return try sign(
            client: client.client, device: device, permissions: client.permissions, generation: generation,
            choice: choice)
    }

    /// A new token for one that is still valid: same client, device and permissions, same node while it is up.
    /// - Throws: `token_invalid`, `token_expired`, `token_revoked`, `no_node`.
    package func refresh(_ token: String, zone: String?) async throws(WindfireError) -> Issued {
        let claims: TokenClaims
        do {
            claims = try await verifier.verify(token)
        } catch {
            throw error.failure
        }
        let generation = await generations.generation(of: claims.client)
        guard claims.generation >= generation else {
            throw WindfireError(.tokenRevoked, "the client's tokens were revoked")
        }
        let kept = claims.node.flatMap { directory.keep($0, for: claims.client) }
        guard let choice = kept ?? directory.assign(claims.client, zone: zone) else { throw .noNodeNow }
        return try sign(
            client: claims.client, device: claims.device, permissions: claims.permissions,
            generation: claims.generation, choice: choice)
    }

    private func sign(
        client: ClientID, device: DeviceID, permissions: Permissions, generation: Generation,
        choice: NodeDirectory.Choice
    ) throws(WindfireError) -> Issued {
        let milliseconds = now()
        let seconds = Int64(milliseconds / 1000)
        let id = UUIDv7(
            unixMilliseconds: milliseconds, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        let claims = TokenClaims(
            client: client, device: device, id: id.description, generation: generation, issuedAt: seconds,
            expiresAt: seconds + lifeSeconds, node: choice.node.id, permissions: permissions)
        return Issued(
            token: try signer.sign(claims, with: keys.signing.signer), claims: claims, choice: choice)
    }
}

extension WindfireError {
    fileprivate static var noNodeNow: WindfireError {
        WindfireError(.noNode, "no push server can take this client now", retryAfter: .seconds(2))
    }
}
