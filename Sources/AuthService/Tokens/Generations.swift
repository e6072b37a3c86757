import Common
import Logging
import Synchronization

/// The generation a new token must carry: from the route store, and while that is away from what was last seen.
///
/// A token issued with too old a generation does no harm: it is refused at claim, where the store is asked again. So
/// logins go on without the store.
final class Generations: Sendable {
    private let routes: any RouteStore
    private let logger: Logger
    private let seen = Mutex(SeenGenerations())

    init(routes: any RouteStore, logger: Logger) {
        self.routes = routes
        self.logger = logger
    }

    func generation(of client: ClientID) async -> Generation {
        do {
            let generation = try await routes.generation(of: client)
            remember(client, generation)
            return generation
        } catch {
            logger.debug("Generation not read", metadata: [Logger.Metadata.Key.error: "\(error)"])
            return seen.withLock { $0[client] }
        }
    }

    /// - Throws: `routes_unavailable`: a revocation that may not have happened must not be answered as done.
    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation {
        let generation = try await routes.revoke(client)
        remember(client, generation)
        return generation
    }

    private func remember(_ client: ClientID, _ generation: Generation) {
        // The first generation is what an unknown client gets anyway.
        guard generation != .first else { return }
        seen.withLock { $0.remember(client, generation) }
    }
}

/// Generations of clients that were ever revoked, as far as seen. Two halves: when the young one is full it becomes the
/// old one, and what was not used meanwhile is forgotten.
struct SeenGenerations: Sendable {
    private let halfMax: Int
    private var young: [ClientID: Generation] = [:]
    private var old: [ClientID: Generation] = [:]

    init(halfMax: Int = 50_000) { self.halfMax = halfMax }

    var count: Int { young.count + old.count }

    subscript(client: ClientID) -> Generation { young[client] ?? old[client] ?? .first }

    mutating func remember(_ client: ClientID, _ generation: Generation) {
        let generation = max(generation, self[client])
        if young[client] == nil, young.count >= halfMax {
            old = young
            young = [:]
        }
        young[client] = generation
    }
}
