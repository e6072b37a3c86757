import Common
import HTTPSupport
import Hummingbird
import Logging

/// The HTTP face of the auth role: reads what is asked, asks the parts, and writes the answer.
struct AuthRoutes: Sendable {
    let configuration: AuthServiceConfiguration
    let authenticators: [any Authenticator]
    let issuer: TokenIssuer
    let generations: Generations
    let keys: KeyKeeper
    let gate: APIKeyGate
    let secrets: SecretGuard
    let metrics: AuthMetrics
    let checks: [ReadinessCheck]

    func add(to router: Router<HTTPContext>) {
        router.addHealth(checks)
        router.addMetrics(metrics.registry)
        router.get(".well-known/jwks.json") { _, _ in
            Response.json(KeySetAnswer(keys: keys.signing.publicKeys), cacheControl: "public, max-age=60")
        }
        router.post("v1/token", use: token)
        router.post("v1/token/refresh", use: refresh)
        router.group("v1/revoke").add(middleware: gate.requireRole(.ops)).post(use: revoke)
    }

    @Sendable private func token(_ request: Request, _ context: HTTPContext) async throws -> Response {
        try await counted { () async throws(WindfireError) in
            let body = try await request.json(TokenRequest.self, upTo: TokenRequest.bytesMax)
            let attempt = AuthenticationAttempt(
                client: body.client, secret: body.secret, bearer: request.bearer, address: context.clientAddress)
            let client = try await authenticate(attempt, logger: context.logger)
            let issued = try await issuer.issue(to: client, device: body.device, zone: body.zone)
            metrics.issued.increment()
            metrics.assigned(issued.choice.node.id)
            return Response.json(TokenAnswer(issued, configuration))
        }
    }

    @Sendable private func refresh(_ request: Request, _ context: HTTPContext) async throws -> Response {
        try await counted { () async throws(WindfireError) in
            guard let token = request.bearer else {
                throw WindfireError(.unauthorized, "Authorization: Bearer with the present token is missing")
            }
            let issued = try await issuer.refresh(token, zone: nil)
            metrics.refreshed.increment()
            return Response.json(TokenAnswer(issued, configuration))
        }
    }

    @Sendable private func revoke(_ request: Request, _ context: HTTPContext) async throws -> Response {
        let body = try await request.json(RevokeRequest.self)
        let generation = try await generations.revoke(body.client)
        metrics.revocations.increment()
        context.logger.notice(
            "Tokens revoked",
            metadata: [
                Logger.Metadata.Key.client: .string(body.client.text), "key": .string(context.apiKey?.name ?? ""),
            ])
        return Response.json(RevokeAnswer(client: body.client, generation: generation.value))
    }

    /// Asks the authenticator that knows this kind of credential.
    private func authenticate(
        _ attempt: AuthenticationAttempt, logger: Logger
    ) async throws(WindfireError) -> AuthenticatedClient {
        guard let authenticator = authenticators.first(where: { $0.recognises(attempt) }) else {
            throw .credentialsRefused()
        }
        try secrets.check(attempt)
        do throws(WindfireError) {
            return try await authenticator.authenticate(attempt)
        } catch {
            // The gate of the API keys counts its own.
            if error.code == .unauthorized, !(authenticator is BackendAuthenticator) { secrets.failed(attempt) }
            throw error
        }
    }

    private func counted(
        _ answer: () async throws(WindfireError) -> Response
    ) async throws(WindfireError) -> Response {
        do {
            return try await answer()
        } catch {
            metrics.refused(error)
            throw error
        }
    }
}
