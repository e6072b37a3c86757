import Common
import Logging
import NIOConcurrencyHelpers
import PushCore
import ServiceLifecycle

/// Keeps the route store's picture of this node true. Routes are soft state: the connections are the truth.
///
/// Every `interval`, and at once when the registry session was lost or the store comes back, the node compares its own
/// sessions per bucket with the store's: their counts, and in turn the sessions themselves. What the store misses is
/// claimed again under its old epoch; what only the store has (a ghost) is released; a session that the store knows a
/// newer one of is closed. So a wiped store fills up by itself, and a node that was frozen while its clients moved
/// finds out and harms no newer route.
final class Reconciler: Service {
    private let incarnation: Incarnation
    private let hub: Hub
    private let desk: LoginDesk
    private let peers: Peers
    private let routes: any RouteStore
    private let registry: any Registry
    private let interval: Duration
    private let logger: Logger
    private let tally = NIOLockedValueBox(Difference())
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// Equal counts do not prove equal sessions: a ghost and a missing one in the same bucket hide each other. So each
    /// comparison also looks into one bucket in so many, a different one each time.
    private static let rounds = 16
    private let round = NIOLockedValueBox(0)

    /// Buckets whose sessions are gathered together: each time the loops go through all of theirs.
    private static let bucketsAtOnce = 64

    /// What the last comparison found.
    struct Difference: Equatable, Sendable {
        /// Sessions that the store had and the node did not.
        var ghosts = 0
        /// Sessions that the node had and the store did not.
        var missing = 0
        /// Sessions that a newer one elsewhere had replaced.
        var duplicates = 0
    }

    init(
        hub: Hub, desk: LoginDesk, peers: Peers, routes: any RouteStore, registry: any Registry, interval: Duration,
        logger: Logger
    ) {
        incarnation = hub.incarnation
        self.hub = hub
        self.desk = desk
        self.peers = peers
        self.routes = routes
        self.registry = registry
        self.interval = interval
        self.logger = logger
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var lastDifference: Difference { tally.withLockedValue { $0 } }

    /// Asks for a comparison now.
    func compareSoon() { wake.yield() }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [self] in
                    while true {
                        try await Task.sleep(for: interval)
                        wake.yield()
                    }
                }
                group.addTask { [self] in
                    for await state in registry.stateChanges() where state == .connected(afterExpiry: true) {
                        wake.yield()
                    }
                }
                for await _ in wakeUps { await compare() }
                group.cancelAll()
            }
        }
    }

    /// One comparison.
    func compare() async {
        do throws(WindfireError) {
            try await claimUnclaimed()
            let stored = try await routes.sessionCounts(of: incarnation)
            let own = await hub.sessionCounts()
            let round = round.withLockedValue { round in
                defer { round = (round + 1) % Self.rounds }
                return round
            }
            let differing = Set(stored.keys).union(own.keys).filter { bucket in
                stored[bucket] ?? 0 != own[bucket] ?? 0 || Int(bucket.index) % Self.rounds == round
            }
            var difference = Difference()
            var left = Array(differing)
            while !left.isEmpty {
                try await settle(Array(left.suffix(Self.bucketsAtOnce)), &difference)
                left.removeLast(min(left.count, Self.bucketsAtOnce))
            }
            tally.withLockedValue { $0 = difference }
            guard difference != Difference() else { return }
            logger.info(
                "routes were mended",
                metadata: [
                    "ghosts": "\(difference.ghosts)", "missing": "\(difference.missing)",
                    "duplicates": "\(difference.duplicates)",
                ])
        } catch {
            logger.debug("routes not compared", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
        }
    }

    private func settle(_ buckets: [Bucket], _ difference: inout Difference) async throws(WindfireError) {
        // The order matters. Ours come first, so that nobody looks missing who came while the store was asked; whether
        // what the store has is known here is asked after it, so that nobody looks like a ghost.
        let own = await hub.identities(in: Set(buckets))
        var stored: Set<SessionID> = []
        for bucket in buckets {
            let entries = try await routes.sessions(of: incarnation, in: bucket)
            for ghost in await hub.unknown(entries) {
                if try await routes.release(ghost) { difference.ghosts += 1 }
            }
            stored.formUnion(entries.map(\.route.session))
        }
        for identity in own where !stored.contains(identity.session) && identity.route.epoch != .none {
            // It left while the store was asked.
            guard await hub.unknown([identity.entry]).isEmpty else { continue }
            switch try await routes.reclaim(identity.entry, generation: identity.generation) {
            case .kept:
                difference.missing += 1
                // It may have ended while it was claimed again: its own release then came too early.
                for ghost in await hub.unknown([identity.entry]) { try await routes.release(ghost) }
            case .superseded:
                difference.duplicates += 1
                peers.close([identity.route], for: .superseded)
            case .revoked: peers.close([identity.route], for: .tokenRevoked)
            }
        }
    }

    /// Sessions that came while the store was away.
    private func claimUnclaimed() async throws(WindfireError) {
        for (identity, takesInbox) in await hub.unclaimed() {
            switch try await desk.claim(identity, takesInbox: takesInbox) {
            case .granted(let epoch, let displaced, let page):
                await hub.claimed(identity.claimed(epoch), inbox: takesInbox ? .page(page) : .none)
                if !displaced.isEmpty { peers.close(displaced, for: .replaced) }
            case .revoked: peers.close([identity.route], for: .tokenRevoked)
            case .conflict: peers.close([identity.route], for: .conflict)
            }
        }
    }
}
