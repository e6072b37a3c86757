// What no single key can tell: values that contradict each other, and secrets that everybody knows.

extension Configuration {
    /// The secret and key of `windfire dev`. Published in the manual, so worthless anywhere else.
    package static let developmentSecret = "dev"
    /// Of `cluster.secret`, `admin.key` and `webhooks.secret` outside `dev`.
    static let secretCharactersMin = 16

    /// - Throws: `configuration_invalid` with everything that keeps `role` from starting.
    package func check(for role: ConfigurationRole) throws(WindfireError) {
        let problems = problems(for: role)
        guard problems.isEmpty else { throw WindfireError(configuration: problems) }
    }

    /// Everything that keeps `role` from starting.
    package func problems(for role: ConfigurationRole) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func problem(_ name: String, _ message: String) {
            let place = settings[name]?.source.description ?? "default"
            problems.append(ConfigurationProblem(name: name, place: place, message: message))
        }
        if role != .dev { checkSecrets(for: role, problem) }

        if role == .pushServer || role == .dev, (self.push.tlsCertificate == nil) != (self.push.tlsKey == nil) {
            let (name, other) =
                self.push.tlsKey == nil ? ("push.tls-key", "certificate") : ("push.tls-certificate", "key")
            problem(name, "is missing; the \(other) alone does not turn TLS on")
        }
        if role == .pushServer || role == .dev { checkJanus(problem) }
        if role == .auth {
            if self.auth.keys == nil {
                problem("auth.keys", "is missing; tokens are signed with the keys of this folder")
            }
            if self.auth.authenticator == .jwt, self.auth.jwtIssuer == nil || self.auth.jwtAudience == nil {
                problem("auth.jwt-issuer", "or auth.jwt-audience is missing; `jwt` demands both of your tokens")
            }
            switch self.auth.authenticator {
            case .static where self.auth.clientsFile == nil:
                problem("auth.clients-file", "is missing; the authenticator `static` lets in the clients of this file")
            case .backend where self.api.keys.isEmpty && self.admin.key == nil:
                problem("api.keys", "is empty; the authenticator `backend` serves callers with a key")
            case .jwt where self.auth.jwtJWKSURL == nil && self.auth.jwtSecret == nil:
                problem("auth.jwt-jwks-url", "is missing, and so is auth.jwt-secret; `jwt` needs one of them")
            case .static, .backend, .jwt: break
            }
        }
        if role == .pushRoute, self.api.keys.isEmpty, self.admin.key == nil {
            problem("api.keys", "is empty; nobody could push. `windfire key` makes one")
        }
        checkWebhooks(for: role, problem)
        if role != .auth {
            do throws(WindfireError) { _ = try topicRules() } catch { problem("topics.rules", error.message) }
        }
        let names = self.api.keys.map(\.name)
        if Set(names).count != names.count { problem("api.keys", "has two keys of one name") }
        if limits.payloadBytesMax > limits.outboxBytesMax {
            problem("limits.payload-bytes-max", "is larger than limits.outbox-bytes-max; such a push would never fit")
        }
        if limits.payloadBytesMax > limits.publishBytesMax {
            problem("limits.payload-bytes-max", "is larger than limits.publish-bytes-max; it could not be published")
        }
        return problems
    }

    private func checkSecrets(for role: ConfigurationRole, _ problem: (String, String) -> Void) {
        if let secret = self.cluster.secret {
            if secret.count < Self.secretCharactersMin { problem("cluster.secret", Self.tooShort) }
        } else if role != .auth {
            problem("cluster.secret", "is missing; the roles recognise each other by it")
        }
        let usesAdminKey = role == .auth || role == .pushRoute
        if usesAdminKey, let key = self.admin.key, key.count < Self.secretCharactersMin {
            problem("admin.key", Self.tooShort)
        }
        if self.api.keys.contains(where: { $0.sha256Hex == Self.developmentSecretSHA256 }) {
            problem("api.keys", "holds the hash of `dev`; that key is for `windfire dev` only")
        }
    }

    private func checkWebhooks(for role: ConfigurationRole, _ problem: (String, String) -> Void) {
        let isTold =
            switch role {
            case .auth: false
            case .pushRoute: self.webhooks.offlineURL != nil
            case .pushServer: self.webhooks.presenceURL != nil
            case .dev: self.webhooks.offlineURL != nil || self.webhooks.presenceURL != nil
            }
        guard isTold else { return }
        if let secret = self.webhooks.secret {
            if role != .dev, secret.count < Self.secretCharactersMin { problem("webhooks.secret", Self.tooShort) }
        } else {
            problem("webhooks.secret", "is missing; a webhook's receiver knows our calls by their signature")
        }
    }

    private static let tooShort =
        "is `dev` or another short text; outside `windfire dev` it needs at least \(secretCharactersMin) characters"

    /// SHA-256 of `dev` (`printf dev | sha256sum`).
    static let developmentSecretSHA256 = "ef260e9aa3c673af240d17a2660480361a8e081d1ffeca2a5ed0e3219fc18567"
}

extension Configuration {
    fileprivate func checkJanus(_ problem: (String, String) -> Void) {
        guard self.push.janusAnonymous else {
            if self.push.janusListen != nil {
                problem("push.janus-anonymous", "is missing; Janus has no token, and nobody would be taken")
            }
            return
        }
        if self.push.janusSubscribe.isEmpty, self.push.janusPublish.isEmpty {
            problem("push.janus-subscribe", "is empty, and so is push.janus-publish; Janus clients could do nothing")
        }
    }
}
