import Common
import HTTPSupport
import Logging

/// The authenticators that configuration chose, with what they need while running.
struct AuthenticatorSet: Sendable {
    private(set) var authenticators: [any Authenticator] = []
    private(set) var checks: [ReadinessCheck] = []
    private(set) var background: [@Sendable () async throws -> Void] = []

    /// - Throws: `configuration_invalid`: none chosen, `dev` outside of dev, or one that cannot be made.
    init(
        _ configuration: AuthServiceConfiguration, gate: APIKeyGate, logger: Logger,
        seconds: @escaping @Sendable () -> Int64, clock: AuthService.Clock
    ) throws(WindfireError) {
        guard !configuration.authenticators.isEmpty else {
            throw WindfireError(.configurationInvalid, "no authenticator is chosen: static, backend or jwt")
        }
        for choice in configuration.authenticators {
            switch choice {
            case .file(let path):
                let authenticator = try StaticAuthenticator(
                    try ClientFile(path: path), path: path, now: clock.monotonic)
                authenticators.append(authenticator)
                let interval = configuration.signingKeys.pollInterval
                background.append { await authenticator.watch(every: interval, logger: logger) }
            case .backend(let permissions):
                guard !configuration.apiKeys.isEmpty else {
                    throw WindfireError(.configurationInvalid, "the authenticator backend needs an API key")
                }
                authenticators.append(BackendAuthenticator(gate: gate, permissions: permissions, logger: logger))
            case .jwt(let settings):
                try add(settings, logger: logger, seconds: seconds, clock: clock)
            case .dev:
                guard configuration.isDev else {
                    throw WindfireError(
                        .configurationInvalid, "the authenticator dev is only allowed under windfire dev")
                }
                authenticators.append(DevAuthenticator())
            }
        }
        // The one that looks at the form of a credential is asked before those that take any text.
        authenticators.sort { $0 is JWTAuthenticator && !($1 is JWTAuthenticator) }
    }

    private mutating func add(
        _ settings: JWTAuthenticator.Configuration, logger: Logger, seconds: @escaping @Sendable () -> Int64,
        clock: AuthService.Clock
    ) throws(WindfireError) {
        let keys: any VerificationKeySource
        switch settings.keys {
        case .secret(let secret):
            keys = VerificationKeys([:], unnamed: try VerificationKey(secret: Array(secret.utf8)))
        case .jwks(let url):
            guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
                throw WindfireError(.configurationInvalid, "the address of a key set begins with https:// or http://")
            }
            let remote = RemoteKeySet(.init(url: url), logger: logger, now: clock.monotonic)
            keys = remote
            checks.append(remote.readiness)
            background.append { try await remote.run() }
        }
        authenticators.append(try JWTAuthenticator(settings, keys: keys, now: seconds))
    }
}
