import Common
import HTTPSupport

/// Everything `windfire auth` can be told. Checked once, in `AuthService.init`.
package struct AuthServiceConfiguration: Sendable {
    /// `host:port` of the HTTP face.
    package var listen = HostPort(host: "127.0.0.1", port: 8100)
    /// True only under `windfire dev`: allows the dev authenticator, the key `dev`, and keys that nobody keeps.
    package var isDev = false
    package var authenticators: [AuthenticatorChoice] = []
    package var tokens = Tokens()
    package var signingKeys = Keys()
    package var strategy = AssignmentStrategy.consistentHash
    package var automaticWeight = true
    /// How often nodes' loads are read: as often as nodes write them.
    package var loadInterval: Duration = .seconds(2)
    package var heartbeat: Duration = Limits.default.heartbeat
    package var backoff = Backoff()
    /// `name:role:sha256hex` each.
    package var apiKeys: [String] = []
    package var keyFailures = FailureLimiter.Configuration()
    /// Wrong secrets for one client from one address: guessing.
    package var secretFailures = FailureLimiter.Configuration()
    /// Wrong secrets from one address for whatever clients. Higher, because a mobile network puts thousands of phones
    /// behind one address, and some of them are always misconfigured.
    package var addressFailures = FailureLimiter.Configuration(failuresMax: 60)
    /// Balancers whose `X-Forwarded-For` is believed.
    package var proxies = TrustedProxies.none
    /// Origins whose pages may ask for tokens, `*` for all; empty for none.
    package var origins: [String] = []

    package init() {}

    package struct Tokens: Sendable, Equatable {
        package var issuer = "windfire"
        package var audience = "windfire-push"
        package var life: Duration = .seconds(3600)

        package init() {}
    }

    /// Where signing keys come from. All replicas of AuthService need the same ones: mount the same files.
    package struct Keys: Sendable, Equatable {
        /// Files in order, the first one signs; or
        package var files: [String] = []
        /// a folder whose `*.pem`, `*.jwk` and `*.json` are taken in the order of their names; or
        package var folder: String?
        /// a folder of this process's own, where a key is made at the first start. Only for a single replica.
        package var dataFolder: String?
        /// Of keys that are made here.
        package var algorithm = TokenAlgorithm.es256
        package var pollInterval: Duration = .seconds(5)
        /// How long a new key is published before it signs.
        package var lead: Duration = .seconds(360)

        package init() {}
    }

    /// What clients are told about coming back: full jitter over base × factorⁿ, at most max.
    package struct Backoff: Sendable, Equatable, Encodable {
        package var baseMilliseconds = 500
        package var factor = 2.0
        package var maxMilliseconds = 30_000
        /// Share of each pause that is random; 1 is full jitter.
        package var jitter = 1.0

        package init() {}

        enum CodingKeys: String, CodingKey {
            case baseMilliseconds = "base_ms"
            case factor
            case maxMilliseconds = "max_ms"
            case jitter
        }
    }
}

/// Who lets clients in. Several may be configured: what a caller presents decides which one is asked.
package enum AuthenticatorChoice: Sendable, Equatable {
    /// A file of clients and hashed secrets.
    case file(path: String)
    /// The application's server asks with an API key of the role push or admin.
    case backend(Permissions)
    /// The customer's own tokens.
    case jwt(JWTAuthenticator.Configuration)
    /// Anybody with the secret `dev`. Only under `windfire dev`.
    case dev
}
