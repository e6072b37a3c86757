import Common
import Logging
import NIOCore
import NodeRPC
import PushCore

/// What a session asks for that cannot be answered on its loop: is this token good, claim my route, tell another
/// client. Every call stands alone and may run on any thread.
final class LoginDesk: Sendable {
    let incarnation: Incarnation
    private let verifier: any TokenVerifier
    private let routes: any RouteStore
    private let peers: Peers
    private let presence: Presence?
    private let permissions = SharedPermissions()
    private let clock: @Sendable () -> Int64
    private let logger: Logger

    /// - Parameters:
    ///   - presence: is told who came and who went; nil when nobody asks.
    ///   - clock: Unix seconds.
    init(
        incarnation: Incarnation, verifier: any TokenVerifier, routes: any RouteStore, peers: Peers,
        presence: Presence? = nil, clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.incarnation = incarnation
        self.verifier = verifier
        self.routes = routes
        self.peers = peers
        self.presence = presence
        self.clock = clock
        self.logger = logger
    }

    /// Verifies the token, claims the route, and closes the sessions it displaces.
    ///
    /// While the route store is away a good token is enough: the session lives under `Epoch.none` and is claimed by the
    /// `Reconciler` once the store is back.
    func login(
        session: SessionID, token: String, device: DeviceID?, takesInbox: Bool
    ) async -> LoginOutcome {
        let claims: TokenClaims
        do throws(TokenRejection) {
            claims = try await verifier.verify(token)
        } catch {
            logger.debug("token refused", metadata: [Logger.Metadata.Key.reason: "\(error.rawValue)"])
            return .refused(error == .expired ? .tokenExpired : .tokenInvalid)
        }
        guard device == nil || device == claims.device else { return .refused(.tokenInvalid) }
        let tokenEnd = deadline(of: claims)
        let identity = SessionIdentity(
            client: claims.client,
            route: Route(device: claims.device, incarnation: incarnation, session: session, epoch: .none),
            generation: claims.generation, permissions: permissions.shared(claims.permissions))
        do throws(WindfireError) {
            switch try await claim(identity, takesInbox: takesInbox) {
            case .granted(let epoch, let displaced, let page):
                if !displaced.isEmpty { peers.close(displaced, for: .replaced) }
                return .granted(
                    identity.claimed(epoch), tokenEnd: tokenEnd, inbox: takesInbox ? .page(page) : .none)
            case .revoked: return .refused(.tokenRevoked)
            case .conflict: return .refused(.conflict)
            }
        } catch {
            logger.debug("route not claimed", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            return .granted(identity, tokenEnd: tokenEnd, inbox: takesInbox ? .unknown : .none)
        }
    }

    /// Claims a route for a session that has none yet.
    func claim(_ identity: SessionIdentity, takesInbox: Bool) async throws(WindfireError) -> ClaimResult {
        let result = try await routes.claim(
            RouteClaim(
                client: identity.client, device: identity.route.device, incarnation: incarnation,
                session: identity.session, generation: identity.generation, wantsInbox: takesInbox))
        if let presence, case .granted(let epoch, let displaced, _) = result {
            presence.claimed(identity.claimed(epoch), displaced: displaced)
        }
        return result
    }

    /// A newer token for the same client and device.
    func renew(_ identity: SessionIdentity, token: String) async -> Result<Renewal, WindfireError> {
        do throws(TokenRejection) {
            let claims = try await verifier.verify(token)
            guard claims.client == identity.client, claims.device == identity.route.device else {
                return .failure(WindfireError(.tokenInvalid, "the token is for another client or device"))
            }
            guard claims.generation >= identity.generation else {
                return .failure(WindfireError(.tokenRevoked, FailureCode.tokenRevoked.title))
            }
            return .success(
                Renewal(
                    tokenEnd: deadline(of: claims), expiresAt: claims.expiresAt, generation: claims.generation,
                    permissions: permissions.shared(claims.permissions)))
        } catch {
            let code: FailureCode = error == .expired ? .tokenExpired : .tokenInvalid
            return .failure(WindfireError(code, code.title))
        }
    }

    /// Sends a live message from one client to another.
    /// - Returns: how many of the other's sessions took it.
    func forward(from sender: SessionIdentity, to client: ClientID, data: ByteBuffer) async -> Result<
        Int, WindfireError
    > {
        guard sender.permissions.send else {
            return .failure(WindfireError(.forbidden, "the token does not allow sending"))
        }
        do throws(WindfireError) {
            let found = try await routes.locate([client])[0]
            return .success(await peers.deliver(Array(data.readableBytesView), from: sender.client, to: found))
        } catch {
            return .failure(error)
        }
    }

    /// Gives the route back, also one without an epoch: a claim whose answer was lost may have been written. What
    /// cannot be told now is found by the next comparison.
    func release(_ identity: SessionIdentity, endedFor reason: CloseReason) {
        guard !identity.isAnonymous else { return }
        presence?.ended(identity, for: reason)
        Task { [routes, logger] in
            do throws(WindfireError) {
                try await routes.release(identity.entry)
            } catch {
                logger.debug("route not released", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            }
        }
    }

    /// The token's end on the monotonic clock, so that a step of the wall clock ends nobody's session.
    private func deadline(of claims: TokenClaims) -> NIODeadline {
        // Within the verifier's allowance for skew a token may seem ended already: then it ends at once, in order.
        // Issuers may write any number: ten years are for ever.
        .now() + .seconds(min(315_360_000, max(0, claims.expiresAt - clock())))
    }
}

/// What a renewed token says.
struct Renewal: Sendable {
    let tokenEnd: NIODeadline
    /// Unix seconds.
    let expiresAt: Int64
    let generation: Generation
    let permissions: SessionPermissions
}
