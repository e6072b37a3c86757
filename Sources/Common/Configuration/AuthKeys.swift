/// `auth.…`: who is let in, and how tokens are made.
package struct AuthKeys: ConfigurationKeySection {
    package enum Authenticator: String, Sendable, CaseIterable {
        case `static`, backend, jwt
    }

    package enum Algorithm: String, Sendable, CaseIterable {
        case es256, eddsa, hs256
    }

    package enum Assignment: String, Sendable, CaseIterable {
        case consistentHash = "consistent-hash"
        case roundRobin = "round-robin"
        case hashMod = "hash-mod"
        case leastLoad = "least-load"
    }

    package let listen = ConfigurationKey(
        "auth.listen", .address, default: "0.0.0.0:8100", usedBy: [.auth], "Where the token API listens.")
    package let authenticator = ConfigurationKey(
        "auth.authenticator", ValueForm<Authenticator>.choice, default: "static", usedBy: [.auth],
        "Who decides: a file of clients, your back end with an API key, or your own tokens.")
    package let clientsFile = ConfigurationKey(
        "auth.clients-file", optional: .path, usedBy: [.auth], "Clients and hashed secrets, for `static`.")
    package let keys = ConfigurationKey(
        "auth.keys", optional: .path, usedBy: [.auth],
        "Folder of signing keys, the same for all auth servers; needed outside `dev`.")
    package let algorithm = ConfigurationKey(
        "auth.algorithm", ValueForm<Algorithm>.choice, default: "es256", usedBy: [.auth], "How tokens are signed.")
    package let tokenTTL = ConfigurationKey(
        "auth.token-ttl", .duration(TokenLife.range), default: "1h", usedBy: [.auth],
        "How long a token is valid.")
    package let issuer = ConfigurationKey(
        "auth.issuer", .text, default: "windfire", usedBy: [.auth, .pushServer], "`iss` of the tokens.")
    package let audience = ConfigurationKey(
        "auth.audience", .text, default: "windfire-push", usedBy: [.auth, .pushServer], "`aud` of the tokens.")
    package let assignment = ConfigurationKey(
        "auth.assignment", ValueForm<Assignment>.choice, default: "consistent-hash", usedBy: [.auth],
        "How a client is given its node.")
    package let jwtJWKSURL = ConfigurationKey(
        "auth.jwt-jwks-url", optional: .url(["http", "https"]), usedBy: [.auth],
        "Public keys of your own tokens, for `jwt`.")
    package let jwtSecret = ConfigurationKey(
        "auth.jwt-secret", optional: .text, usedBy: [.auth], isSecret: true,
        "Shared secret of your own tokens, for `jwt` without public keys.")
    package let jwtIssuer = ConfigurationKey(
        "auth.jwt-issuer", optional: .text, usedBy: [.auth], "`iss` your own tokens must have.")
    package let jwtAudience = ConfigurationKey(
        "auth.jwt-audience", optional: .text, usedBy: [.auth], "`aud` your own tokens must have.")
}
