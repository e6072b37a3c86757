import Common
import HTTPTypes
import Hummingbird
import Logging
import Synchronization

/// Lets callers in by API key: `Authorization: Bearer <key>`. One gate per process, so that wrong keys are counted
/// over all of its routes.
package final class APIKeyGate: Sendable {
    private let keys: APIKeys
    private let limiter: Mutex<FailureLimiter>
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        _ keys: APIKeys, limits: FailureLimiter.Configuration = .init(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.keys = keys
        limiter = Mutex(FailureLimiter(limits))
        self.now = now
    }

    /// Middleware for a group of routes: only keys with this role pass, and the context then names the key.
    package func requireRole(_ role: APIKey.Role) -> RequireRole { requireAnyRole([role]) }

    /// Only keys with one of these roles pass.
    package func requireAnyRole(_ roles: [APIKey.Role]) -> RequireRole { RequireRole(gate: self, roles: roles) }

    /// The caller's key, if it is valid and has the role.
    /// - Throws: `unauthorized` without a valid key, `forbidden` when it lacks the role, `rate_limited` after too many
    ///   wrong ones from this address.
    package func admit(
        bearer presented: String?, from address: String, as role: APIKey.Role, logger: Logger
    ) throws(WindfireError) -> APIKey {
        try admit(bearer: presented, from: address, asAny: [role], logger: logger)
    }

    /// As above, of a caller who needs one of these roles.
    func admit(
        bearer presented: String?, from address: String, asAny roles: [APIKey.Role], logger: Logger
    ) throws(WindfireError) -> APIKey {
        guard let presented else {
            throw WindfireError(.unauthorized, "Authorization: Bearer with an API key is missing")
        }
        let now = now()
        if case .closed(let retryAfter) = limiter.withLock({ $0.verdict(for: address, now: now) }) {
            throw WindfireError(.rateLimited, "too many wrong keys from this address", retryAfter: retryAfter)
        }
        guard let key = keys.identify(presented) else {
            limiter.withLock { $0.failed(address, now: now) }
            logger.notice("API key refused", metadata: [Logger.Metadata.Key.address: .string(address)])
            throw WindfireError(.unauthorized, "the API key is not valid")
        }
        guard roles.contains(where: key.role.includes) else {
            let names = roles.map(\.rawValue).joined(separator: " or ")
            throw WindfireError(.forbidden, "the API key lacks the role \(names)")
        }
        return key
    }
}

package struct RequireRole: RouterMiddleware {
    package typealias Context = HTTPContext

    let gate: APIKeyGate
    let roles: [APIKey.Role]

    package func handle(
        _ request: Request, context: HTTPContext, next: (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.apiKey = try gate.admit(
            bearer: request.bearer, from: context.clientAddress, asAny: roles, logger: context.logger)
        return try await next(request, context)
    }
}

extension Request {
    /// What follows `Bearer ` (RFC 6750, section 2.1; the scheme's case does not matter, RFC 9110, section 11.1), at
    /// most 8 KiB.
    package var bearer: String? {
        guard let value = headers[.authorization], value.utf8.count <= 8192 else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let credential = parts[1].drop(while: { $0 == " " })
        return credential.isEmpty ? nil : String(credential)
    }
}
