import Common
import Logging
import ServiceLifecycle

/// Buries incarnations that are gone: removes the routes they left. Every PushRoute watches; the one that gets the
/// lease acts. Burying twice does no harm, so the lease only saves work.
package actor Janitor {
    package struct Configuration: Sendable {
        /// How long an incarnation may be missing from the registry.
        package var grace: Duration = .seconds(10)
        /// Time between two looks.
        package var interval: Duration = .seconds(1)

        package init() {}
    }

    /// Longer than one burial takes, short enough to pass on soon when its holder dies.
    private static let leaseTime: Duration = .seconds(10)

    private let holder: Incarnation
    private let registry: any Registry
    private let routes: any RouteStore
    private let configuration: Configuration
    private let metrics: PushRouteMetrics
    private let logger: Logger
    private var watch: BurialWatch

    package init(
        holder: Incarnation, registry: any Registry, routes: any RouteStore, configuration: Configuration,
        metrics: PushRouteMetrics, logger: Logger
    ) {
        self.holder = holder
        self.registry = registry
        self.routes = routes
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        watch = BurialWatch(grace: configuration.grace)
    }

    /// Looks again and again, until shut down or cancelled.
    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(WindfireError) {
                    try await self.look(now: .now)
                } catch {
                    self.logger.debug("Could not bury", metadata: [Logger.Metadata.Key.error: "\(error)"])
                }
                try? await Task.sleep(for: self.configuration.interval)
            }
        }
    }

    /// One look, and what follows from it.
    /// - Throws: `routes_unavailable`.
    func look(now: ContinuousClock.Instant) async throws(WindfireError) {
        let announced = try await routes.announcedIncarnations()
        let due = watch.look(
            announced: announced, members: registry.members(.push), registry: registry.state, now: now)
        guard !due.isEmpty, try await routes.acquireLease("bury", holder: holder, for: Self.leaseTime) else { return }
        for incarnation in due where isStillGone(incarnation) {
            let removed = try await routes.bury(incarnation)
            metrics.buriedIncarnations.increment()
            metrics.buriedRoutes.increment(by: Int64(removed))
            logger.notice(
                "Buried an incarnation that is gone",
                metadata: [
                    Logger.Metadata.Key.incarnation: "\(incarnation)", Logger.Metadata.Key.count: "\(removed)",
                ])
        }
    }

    /// A last look right before: burials before this one may have taken a while.
    private func isStillGone(_ incarnation: Incarnation) -> Bool {
        registry.state.isConnected && !registry.members(.push).contains(incarnation)
    }
}
