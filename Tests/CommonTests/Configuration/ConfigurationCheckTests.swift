import Testing

@testable import Common

/// What keeps a role from starting although every single value is fine.
@Suite struct ConfigurationCheckTests {
    private let secret = "a-secret-of-enough-length"

    private func names(_ flags: [String], _ role: ConfigurationRole) throws -> [String] {
        try Configuration.resolve(flags: flags).problems(for: role).map(\.name)
    }

    @Test func `dev starts with nothing configured, and with the well-known secrets`() throws {
        #expect(try names([], .dev) == [])
        #expect(try names(["--cluster-secret", "dev", "--admin-key", "dev"], .dev) == [])
    }

    @Test(arguments: [ConfigurationRole.pushServer, .pushRoute])
    func `other roles refuse the development secrets`(role: ConfigurationRole) throws {
        #expect(try names(["--cluster-secret", "dev", "--admin-key", secret], role) == ["cluster.secret"])
        let hash = Configuration.developmentSecretSHA256
        #expect(
            try names(["--cluster-secret", secret, "--api-keys", "x:push:\(hash)"], role) == ["api.keys"])
    }

    @Test func `the route role refuses the admin key dev, and needs some key`() throws {
        let cluster = ["--cluster-secret", secret]
        #expect(try names(cluster + ["--admin-key", "dev"], .pushRoute) == ["admin.key"])
        #expect(try names(cluster, .pushRoute) == ["api.keys"])
        #expect(try names(cluster + ["--admin-key", secret], .pushRoute) == [])
    }

    @Test func `the hash that is refused is that of dev`() {
        // From RFC 6234's function by another program: printf dev | sha256sum
        #expect(
            Configuration.developmentSecretSHA256 == "ef260e9aa3c673af240d17a2660480361a8e081d1ffeca2a5ed0e3219fc18567")
    }

    @Test func `each authenticator needs its own`() throws {
        let keys = ["--auth-keys", "k"]
        #expect(try names([], .auth) == ["auth.keys", "auth.clients-file"])
        #expect(try names(keys + ["--auth-clients-file", "c"], .auth) == [])
        #expect(try names(keys + ["--auth-authenticator", "backend"], .auth) == ["api.keys"])
        let jwt = keys + ["--auth-authenticator", "jwt", "--auth-jwt-issuer", "i", "--auth-jwt-audience", "a"]
        #expect(try names(jwt, .auth) == ["auth.jwt-jwks-url"])
        #expect(try names(jwt + ["--auth-jwt-secret", "s"], .auth) == [])
        #expect(try names(jwt.dropLast(2) + ["--auth-jwt-secret", "s"], .auth) == ["auth.jwt-issuer"])
    }

    @Test func `TLS needs both halves`() throws {
        let base = ["--cluster-secret", secret]
        #expect(try names(base + ["--push-tls-key", "k"], .pushServer) == ["push.tls-certificate"])
        #expect(try names(base + ["--push-tls-certificate", "c"], .pushServer) == ["push.tls-key"])
        #expect(try names(base + ["--push-tls-certificate", "c", "--push-tls-key", "k"], .pushServer) == [])
    }

    @Test func `Janus is for nobody without a word, and for something`() throws {
        let base = ["--cluster-secret", secret]
        #expect(try names(base + ["--push-janus-listen", "127.0.0.1:8081"], .pushServer) == ["push.janus-anonymous"])
        let on = base + ["--push-janus-anonymous"]
        #expect(try names(on, .pushServer) == ["push.janus-subscribe"])
        #expect(try names(on + ["--push-janus-publish", "events"], .pushServer) == [])
        let patterns = try Configuration.resolve(flags: on + ["--push-janus-subscribe", "events, room/+/chat,#"])
        #expect(patterns.push.janusSubscribe.map(\.text) == ["events", "room/+/chat", "#"])
        #expect(throws: WindfireError.self) { try Configuration.resolve(flags: ["--push-janus-subscribe", "a#"]) }
    }

    @Test(arguments: [(ConfigurationRole.pushServer, "presence"), (.pushRoute, "offline")])
    func `a webhook needs a secret to sign with, where it is called`(role: ConfigurationRole, name: String) throws {
        let base = ["--cluster-secret", secret, "--admin-key", secret]
        let url = base + ["--webhooks-\(name)-url", "https://hooks.example/"]
        #expect(try names(base, role) == [])
        #expect(try names(url, role) == ["webhooks.secret"])
        #expect(try names(url + ["--webhooks-secret", "short"], role) == ["webhooks.secret"])
        #expect(try names(url + ["--webhooks-secret", secret], role) == [])
        #expect(try names(url, .dev) == ["webhooks.secret"])
        #expect(try names(url + ["--webhooks-secret", "short"], .dev) == [])
        #expect(try !names(url, .auth).contains("webhooks.secret"))
    }

    @Test func `a payload that no outbox can hold is refused`() throws {
        #expect(
            try names(["--limits-payload-bytes-max", "2MiB"], .dev) == ["limits.payload-bytes-max"])
    }

    @Test func `check throws what problems tell`() throws {
        let configuration = try Configuration.resolve(flags: ["--admin-key", "dev"])
        let error = #expect(throws: WindfireError.self) { try configuration.check(for: .pushRoute) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.message.hasPrefix("2 problems:\n  cluster.secret (default): is missing") == true)
    }
}
