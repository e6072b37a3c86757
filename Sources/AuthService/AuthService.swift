import Common
import FoundationEssentials
import HTTPSupport
import Hummingbird
import Logging
import ServiceLifecycle

/// `windfire auth`: authenticates clients, signs their tokens and picks their node. Stateless: every replica with the
/// same keys answers the same.
package struct AuthService: Service {
    package let keys: KeyKeeper
    package let metrics: PrometheusRegistry
    package let directory: NodeDirectory

    private let configuration: AuthServiceConfiguration
    private let routes: AuthRoutes
    private let background: [@Sendable () async throws -> Void]
    private let server: HTTPServer
    private let logger: Logger

    /// Where time comes from; tests bring their own.
    package struct Clock: Sendable {
        /// Unix milliseconds.
        package var wall: @Sendable () -> UInt64
        package var monotonic: @Sendable () -> ContinuousClock.Instant

        package init(
            wall: @escaping @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) },
            monotonic: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
        ) {
            self.wall = wall
            self.monotonic = monotonic
        }
    }

    /// Checks the configuration and reads keys and clients; listens only in `run`.
    /// - Throws: `configuration_invalid` naming what is wrong.
    package init(
        configuration: AuthServiceConfiguration, registry: any Registry, routes store: any RouteStore, logger: Logger,
        metrics: PrometheusRegistry = PrometheusRegistry(), clock: Clock = Clock()
    ) throws(WindfireError) {
        let seconds: @Sendable () -> Int64 = { Int64(clock.wall() / 1000) }
        let apiKeys = try APIKeys(configuration.apiKeys)
        guard configuration.isDev || !apiKeys.accepts(DevAuthenticator.secret) else {
            throw WindfireError(.configurationInvalid, "the API key dev is only allowed under windfire dev")
        }
        guard TokenLife.range.contains(configuration.tokens.life) else {
            throw WindfireError(.configurationInvalid, "the life of a token is between 30 s and a day")
        }
        let keys = try Self.keyKeeper(configuration, logger: logger, now: seconds)
        let gate = APIKeyGate(apiKeys, limits: configuration.keyFailures, now: clock.monotonic)
        let generations = Generations(routes: store, logger: logger)
        let directory = NodeDirectory(
            assigner: Assigner(
                configuration.strategy, automaticWeight: configuration.automaticWeight ? .init() : nil),
            registry: registry, routes: store, logger: logger, now: clock.wall)
        let verifier = try JWTTokenVerifier(
            .init(
                issuer: configuration.tokens.issuer, audience: configuration.tokens.audience,
                algorithms: keys.signing.signer.algorithm.isSymmetric ? [.hs256] : [.es256, .edDSA]),
            keys: keys, now: seconds)
        let issuer = TokenIssuer(
            signer: TokenSigner(issuer: configuration.tokens.issuer, audience: configuration.tokens.audience),
            keys: keys, generations: generations, directory: directory, verifier: verifier,
            life: configuration.tokens.life, now: clock.wall)
        let made = try AuthenticatorSet(configuration, gate: gate, logger: logger, seconds: seconds, clock: clock)
        let registryCheck = ReadinessCheck("registry") {
            directory.isKnown ? nil : "the list of push servers was not read yet"
        }
        self.configuration = configuration
        self.keys = keys
        self.metrics = metrics
        self.directory = directory
        self.logger = logger
        routes = AuthRoutes(
            configuration: configuration, authenticators: made.authenticators, issuer: issuer,
            generations: generations, keys: keys, gate: gate,
            secrets: SecretGuard(
                perClient: configuration.secretFailures, perAddress: configuration.addressFailures,
                now: clock.monotonic),
            metrics: AuthMetrics(metrics, directory: directory, keys: keys),
            checks: [registryCheck] + made.checks)
        background =
            made.background + [
                { await keys.watch(every: configuration.signingKeys.pollInterval) },
                { await directory.follow(loadsEvery: configuration.loadInterval) },
            ]
        server = HTTPServer(
            router: Self.router(routes, configuration, metrics: metrics, logger: logger), listen: configuration.listen,
            logger: logger)
    }

    /// All routes, for tests that need no socket.
    package func router() -> Router<HTTPContext> {
        Self.router(routes, configuration, metrics: metrics, logger: logger)
    }

    /// What answers, with or without a socket.
    package var application: Application<RouterResponder<HTTPContext>> { server.application }

    /// Where it listens, once it does.
    package var boundAddress: HostPort {
        get async throws(WindfireError) { try await server.boundAddress }
    }

    /// Reads members and loads once: `run` does it by itself.
    package func refresh() async { await directory.refresh() }

    /// Serves until cancelled or shut down; requests under way are finished.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for work in background { group.addTask { try await work() } }
            group.addTask { [server, logger] in
                guard let address = try? await server.boundAddress else { return }
                logger.notice(
                    "Auth service listens", metadata: [Logger.Metadata.Key.address: .string(address.description)])
            }
            try await server.run()
            group.cancelAll()
        }
    }

    private static func router(
        _ routes: AuthRoutes, _ configuration: AuthServiceConfiguration, metrics: PrometheusRegistry, logger: Logger
    ) -> Router<HTTPContext> {
        let router = HTTPFace.router(
            logger: logger, metrics: metrics, proxies: configuration.proxies, origins: configuration.origins)
        routes.add(to: router)
        return router
    }

    private static func keyKeeper(
        _ configuration: AuthServiceConfiguration, logger: Logger, now: @escaping @Sendable () -> Int64
    ) throws(WindfireError) -> KeyKeeper {
        let settings = configuration.signingKeys
        let timing = KeyRotation.Timing(
            leadSeconds: settings.lead.components.seconds,
            retentionSeconds: configuration.tokens.life.components.seconds + 60)
        let isConfigured = !settings.files.isEmpty || settings.folder != nil || settings.dataFolder != nil
        if !isConfigured, configuration.isDev {
            guard let id = KeyID("dev") else { preconditionFailure("dev is a key id") }
            return try KeyKeeper(
                [try .generate(settings.algorithm, id: id)], files: nil, timing: timing, logger: logger, now: now)
        }
        let files = KeyFiles(configuration: settings)
        return try KeyKeeper(
            try files.loadOrMake(random: .random(in: .min ... .max)), files: files, timing: timing, logger: logger,
            now: now)
    }
}
