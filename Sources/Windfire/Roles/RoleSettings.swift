import AuthService
import Common
import Foundation
import HTTPSupport
import Logging
import PushCore
import PushRoute
import PushServer
import Webhooks

// From the configuration's keys to what each role is told. One function a role; nothing is decided here.

extension Configuration {
    /// Names this process when `node.id` is left out.
    func nodeID() throws(WindfireError) -> NodeID {
        if let id = self.node.id { return id }
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
        return try NodeID(String(host))
    }

    /// `api.keys`, and `admin.key` as one of them.
    func apiKeyEntries() -> [String] {
        let configured = self.api.keys.map(\.description)
        guard let key = self.admin.key else { return configured }
        return configured + [HTTPSupport.APIKeys.entry(name: "admin", role: .admin, key: key)]
    }

    func authService() throws(WindfireError) -> AuthServiceConfiguration {
        var settings = AuthServiceConfiguration()
        settings.listen = self.auth.listen
        settings.authenticators = [try authenticator()]
        settings.tokens.issuer = self.auth.issuer
        settings.tokens.audience = self.auth.audience
        settings.tokens.life = self.auth.tokenTTL
        settings.signingKeys.folder = self.auth.keys
        settings.signingKeys.algorithm =
            switch self.auth.algorithm {
            case .es256: .es256
            case .eddsa: .edDSA
            case .hs256: .hs256
            }
        settings.strategy =
            switch self.auth.assignment {
            case .consistentHash: .consistentHash
            case .roundRobin: .roundRobin
            case .hashMod: .hashMod
            case .leastLoad: .leastLoad
            }
        settings.heartbeat = limits.heartbeat
        settings.apiKeys = apiKeyEntries()
        return settings
    }

    private func authenticator() throws(WindfireError) -> AuthenticatorChoice {
        switch self.auth.authenticator {
        case .static: return .file(path: self.auth.clientsFile ?? "")
        case .backend: return .backend(ClientFile.permissionsDefault)
        case .jwt:
            guard let issuer = self.auth.jwtIssuer, let audience = self.auth.jwtAudience else {
                throw WindfireError(.configurationInvalid, "auth.jwt-issuer and auth.jwt-audience are needed by `jwt`")
            }
            let keys: JWTAuthenticator.Configuration.Keys =
                if let url = self.auth.jwtJWKSURL { .jwks(url: url) } else { .secret(self.auth.jwtSecret ?? "") }
            return .jwt(.init(keys: keys, issuer: issuer, audience: audience))
        }
    }

    func pushServer() throws(WindfireError) -> PushServerConfiguration {
        var settings = PushServerConfiguration(node: try nodeID())
        settings.zone = self.node.zone
        settings.weight = self.node.weight
        settings.capacity = self.node.capacity
        settings.listen = self.push.listen
        settings.grpcListen = self.push.grpcListen
        settings.opsListen = self.push.metricsListen
        settings.advertisedWebSocket = self.push.advertiseWS
        settings.advertisedGRPC = self.push.advertiseGRPC?.description
        settings.overflow =
            switch self.push.overflow {
            case .dropOldest: .dropOldest
            case .collapse: .collapse
            case .disconnect: .disconnect
            }
        settings.allowedOrigins = Set(self.push.origins)
        settings.trustedProxies = self.push.trustedProxies
        settings.threads = self.push.threads
        settings.tlsCertificate = self.push.tlsCertificate
        settings.tlsKey = self.push.tlsKey
        settings.limits = limits
        settings.topicRules = try topicRules()
        settings.janus = janus()
        settings.version = Version.text
        if let url = self.webhooks.presenceURL {
            settings.presence = PresenceConfiguration(
                webhook: try webhook(url, key: "webhooks.presence-url"), settle: self.webhooks.settle)
        }
        return settings
    }

    private func janus() -> JanusConfiguration? {
        guard self.push.janusAnonymous else { return nil }
        var janus = JanusConfiguration(
            permissions: Permissions(
                publish: self.push.janusPublish.map(\.text), subscribe: self.push.janusSubscribe.map(\.text)))
        janus.listen = self.push.janusListen
        janus.advertised = self.push.advertiseJanus?.description
        return janus
    }

    /// Who is told of targets that were not there; nil when nobody is.
    func offlineWebhook(metrics: PrometheusRegistry, logger: Logger) throws(WindfireError) -> OfflineWebhook? {
        guard let url = self.webhooks.offlineURL else { return nil }
        return OfflineWebhook(
            try webhook(url, key: "webhooks.offline-url"), dataBytesMax: limits.webhookDataBytesMax, metrics: metrics,
            logger: logger)
    }

    private func webhook(_ url: String, key: String) throws(WindfireError) -> WebhookConfiguration {
        try WebhookConfiguration(
            url: url, key: key, secret: self.webhooks.secret ?? "", allowsPrivate: self.webhooks.allowPrivate,
            limits: limits)
    }

    func pushRoute() throws(WindfireError) -> PushRouteConfiguration {
        var settings = PushRouteConfiguration(
            incarnation: .new(of: try nodeID()), listen: self.route.listen,
            keys: try HTTPSupport.APIKeys(apiKeyEntries()), limits: limits, zone: self.node.zone, version: Version.text,
            startedAt: WallClock.milliseconds() / 1000)
        settings.janitor.grace = self.route.buryAfter
        settings.keeper.kept = self.route.jobsKept
        settings.topicRules = try topicRules()
        return settings
    }
}

/// What this build calls itself in the registry.
enum Version {
    static let text = "0.1.0"
}
