import Common
import HTTPSupport
import Hummingbird
import Logging
import NodeRPC
import ServiceLifecycle

/// The role: pushes and operator calls over HTTP, the janitor, the work on jobs, and an entry in the registry.
///
/// Whoever builds it runs the registry, the route store and the node caller; they outlive this service.
package struct PushRouteService: Service {
    private let configuration: PushRouteConfiguration
    private let registry: any Registry
    private let janitor: Janitor
    private let jobs: Jobs?
    private let logger: Logger
    /// The HTTP face; router tests send requests to its `application`.
    package let server: HTTPServer

    /// - Parameters:
    ///   - jobs: where large pushes go; without it they are carried out at once, whatever their size. It is closed by
    ///     whoever opened it, after this service.
    ///   - intake: takes large pushes in its place; for tests of the way there.
    ///   - offline: is told who was not there; to be run before this service and stopped after it.
    package init(
        configuration: PushRouteConfiguration, registry: any Registry, routes: any RouteStore & InboxStore & TopicStore,
        nodes: any NodeCaller, jobs store: (any JobStore)? = nil, intake: (any JobIntake)? = nil,
        offline: (any OfflineReporter)? = nil,
        metrics: PrometheusRegistry = PrometheusRegistry(), logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: Logger.Metadata.Key.node] = "\(configuration.incarnation.node)"
        self.configuration = configuration
        self.registry = registry
        self.logger = logger
        let figures = PushRouteMetrics(metrics)
        janitor = Janitor(
            holder: configuration.incarnation, registry: registry, routes: routes,
            configuration: configuration.janitor, metrics: figures, logger: logger)

        let dispatcher = Dispatcher(
            registry: registry, routes: routes, inboxes: routes, nodes: nodes, configuration: configuration.dispatch,
            offline: offline)
        jobs = store.map { store in
            Jobs(
                store: store, configuration: configuration, registry: registry, routes: routes,
                dispatcher: dispatcher, metrics: figures, logger: logger)
        }

        let router = HTTPFace.router(logger: logger, metrics: metrics, proxies: configuration.proxies)
        let checks = [
            ReadinessCheck("registry") {
                registry.members(.push).isKnown ? nil : "the list of push servers was not read yet"
            },
            ReadinessCheck("routes") {
                do throws(WindfireError) {
                    _ = try await routes.loads()
                    return nil
                } catch {
                    return error.message
                }
            },
        ]
        router.addHealth(checks + (jobs.map { [$0.readiness] } ?? []))
        router.addMetrics(metrics)
        let gate = APIKeyGate(configuration.keys)
        let publisher = TopicPublisher(
            store: routes, registry: registry, nodes: nodes, rules: configuration.topicRules,
            limits: configuration.limits)
        figures.watch(publisher)
        PushEndpoint(
            dispatcher: dispatcher, topics: TopicPush(publisher: publisher), inboxes: routes,
            jobs: intake ?? jobs?.receiver, paces: configuration.paces,
            admission: PushAdmission(configuration.admission), limits: configuration.limits, metrics: figures
        ).add(to: router.group("v1").add(middleware: gate.requireRole(.push)))
        OperatorEndpoints(
            operations: Operations(registry: registry, routes: routes, nodes: nodes),
            topics: TopicOperations(registry: registry, store: routes, nodes: nodes, rules: configuration.topicRules)
        ).add(to: router.group("v1").add(middleware: gate.requireRole(.ops)))
        jobs?.endpoints.add(to: router.group("v1").add(middleware: gate.requireAnyRole([.push, .ops])))
        server = HTTPServer(router: router, listen: configuration.listen, logger: logger)
    }

    /// Where it listens, with the port that port 0 became. Waits for the start.
    package var boundAddress: HostPort {
        get async throws(WindfireError) { try await server.boundAddress }
    }

    /// Serves until shut down: leaves the registry, answers the requests under way, ends.
    /// - Throws: `address_in_use`, `configuration_invalid`, or `node_id_taken`.
    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.run() }
            group.addTask { await janitor.run() }
            if let jobs {
                group.addTask { await jobs.runner.run() }
                group.addTask { await jobs.keeper.run() }
            }
            group.addTask { try await stayRegistered() }
        }
    }

    private func stayRegistered() async throws {
        // Whoever is listed can be asked: first listen, then register.
        let address: HostPort
        do { address = try await server.boundAddress } catch { return }
        logger.info("Push route listens", metadata: [Logger.Metadata.Key.address: "\(address)"])
        do {
            try await cancelWhenGracefulShutdown {
                try await registry.register(configuration.member, as: .route)
            }
            try await gracefulShutdown()
        } catch let error as WindfireError where error.code == .nodeIDTaken {
            throw error
        } catch {
            // Shut down or cancelled while waiting for the registry, or afterwards.
        }
        do throws(WindfireError) {
            try await registry.withdraw(configuration.incarnation.node, as: .route)
        } catch {
            // The entry is ephemeral: it ends with the registry's session.
            logger.debug("Could not leave the registry", metadata: [Logger.Metadata.Key.error: "\(error)"])
        }
    }
}
