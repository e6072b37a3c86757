import Common
import HTTPSupport
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import NodeRPC
import PushCore
import ServiceLifecycle

/// The push-server role, whole: device port, node service, health and metrics, and the keepers around them.
///
/// Start: wait for the route store, listen, check the own addresses, register. Stop, in the other order: withdraw from
/// the registry, accept nothing more, send the devices away at a pace, take back the routes, and end.
package final class PushServerService: Service {
    private let configuration: PushServerConfiguration
    private let registry: any Registry
    private let routes: any RouteStore & InboxStore & TopicStore
    private let verifier: any TokenVerifier
    private let caller: any NodeCaller
    private let secret: SharedSecret
    /// What else `/readyz` asks.
    private let checks: [ReadinessCheck]
    private let logger: Logger
    private let started = Settled<BoundAddresses>()
    private let readiness = NIOLockedValueBox<String?>("starting")

    /// Where the node listens, for port 0.
    package struct BoundAddresses: Sendable {
        package let devices: Int
        package let grpc: Int
        package let ops: Int
        /// Nil when Janus has no port of its own.
        package let janus: Int?
        package let incarnation: Incarnation
    }

    package init(
        configuration: PushServerConfiguration, registry: any Registry,
        routes: any RouteStore & InboxStore & TopicStore, verifier: any TokenVerifier, caller: any NodeCaller,
        secret: SharedSecret, readiness: [ReadinessCheck] = [], logger: Logger
    ) {
        checks = readiness
        self.configuration = configuration
        self.registry = registry
        self.routes = routes
        self.verifier = verifier
        self.caller = caller
        self.secret = secret
        self.logger = logger
    }

    /// Waits until the node is registered and takes devices.
    package var bound: BoundAddresses { get async throws(WindfireError) { try await started.value } }

    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        do {
            try await run(on: group)
        } catch {
            started.settle(
                .failure(error as? WindfireError ?? WindfireError(.internalError, "the node failed", cause: error)))
            try? await group.shutdownGracefully()
            throw error
        }
        started.settle(.failure(WindfireError(.notReady, "the node has stopped")))
        try? await group.shutdownGracefully()
    }

    private var threads: Int {
        configuration.threads > 0 ? min(configuration.threads, 256) : min(System.coreCount, 256)
    }

    private func run(on group: MultiThreadedEventLoopGroup) async throws {
        let incarnation = Incarnation.new(of: configuration.node)
        var logger = logger
        logger[metadataKey: Logger.Metadata.Key.node] = "\(configuration.node)"
        let peers = Peers(registry: registry, caller: caller, clock: WallClock.milliseconds, logger: logger)
        let metrics = PrometheusRegistry()
        let presence = configuration.presence.map {
            Presence($0, routes: routes, metrics: metrics, clock: WallClock.milliseconds, logger: logger)
        }
        let desk = LoginDesk(
            incarnation: incarnation, verifier: verifier, routes: routes, peers: peers, presence: presence,
            clock: { Int64(WallClock.milliseconds() / 1000) }, logger: logger)
        let inboxes = InboxDesk(inboxes: routes, logger: logger)
        let topicDesk = TopicDesk(
            incarnation: incarnation, store: routes, rules: configuration.topicRules, limits: configuration.limits,
            logger: logger)
        let publisher = TopicPublisher(
            store: routes, registry: registry, nodes: peers, rules: configuration.topicRules,
            limits: configuration.limits, ownNode: .here(incarnation))
        let hub = Hub(
            incarnation: incarnation, loops: Array(group.makeIterator()),
            settings: SessionSettings(
                limits: configuration.limits, overflow: configuration.overflow,
                allowedOrigins: configuration.allowedOrigins, subprotocols: [JSONSubprotocol.self],
                overPaceMax: configuration.overPaceMax, janus: configuration.janus),
            desk: desk, inboxes: inboxes, topicDesk: topicDesk,
            publisher: DevicePublisher(publisher: publisher, clock: WallClock.milliseconds),
            fanOutTime: NodeMetrics.fanOutTime(in: metrics))
        peers.attach(hub)
        let reconciler = Reconciler(
            hub: hub, desk: desk, peers: peers, routes: routes, registry: registry,
            interval: configuration.reconcileInterval, logger: logger)
        let reporter = NodeReporter(
            hub: hub, routes: routes, reconciler: reconciler, interval: configuration.beat,
            clock: WallClock.milliseconds, logger: logger)

        let ops = try opsServer(metrics, reporter, logger)
        let rpc = try NodeRPCServer(
            service: hub, bind: configuration.grpcListen, secret: secret, limits: configuration.limits, logger: logger)
        let node = Node(
            incarnation: incarnation, hub: hub, reconciler: reconciler, topicDesk: topicDesk, metrics: metrics,
            ops: ops,
            rpc: rpc, group: group, logger: logger)
        // Stopped last to first: the keepers end before the routes are taken back, so that nothing announces the node
        // again; while devices are sent away, it still answers its peers and says at /readyz that it is stopping.
        // A part that fails stops the others in the same order.
        let sweep = InboxSweep(
            hub: hub, desk: inboxes, interval: configuration.limits.inboxSweep, logger: logger)
        // The last sessions' ends are news too: whoever tells them stops last.
        let tellers: [any Service] = presence.map { [$0.sender, $0] } ?? []
        let parts: [any Service] =
            tellers + [
                ops, rpc, inboxes, topicDesk, Part { [self] in try await serve(node) }, reporter, reconciler, sweep,
            ]
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .critical)
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: parts.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
                logger: quiet)
        ).run()
    }

    private struct Part: Service {
        let work: @Sendable () async throws -> Void

        func run() async throws { try await work() }
    }

    /// The parts of a running node, handed from start to stop.
    private struct Node: Sendable {
        let incarnation: Incarnation
        let hub: Hub
        let reconciler: Reconciler
        let topicDesk: TopicDesk
        let metrics: PrometheusRegistry
        let ops: HTTPServer
        let rpc: NodeRPCServer
        let group: MultiThreadedEventLoopGroup
        let logger: Logger
    }

    private func serve(_ node: Node) async throws {
        try await cancelWhenGracefulShutdown { [self] in
            do {
                try await waitForRoutes(node)
                let listeners = try await open(node)
                defer { readiness.withLockedValue { $0 = "stopping" } }
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
                await stop(node, listeners)
            } catch  where error is CancellationError || Task.isCancelled {
                return
            }
        }
    }

    /// Nothing is promised to a device before its route can be written; after the start an outage is survived.
    private func waitForRoutes(_ node: Node) async throws {
        var delay: Duration = .milliseconds(100)
        while true {
            do throws(WindfireError) {
                try await routes.announce(node.incarnation)
                return
            } catch {
                readiness.withLockedValue { $0 = "waiting for the route store" }
                node.logger.warning(
                    "waiting for the route store", metadata: [Logger.Metadata.Key.error: "\(error.message)"])
            }
            try await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(5))
        }
    }

    private func open(_ node: Node) async throws -> [DeviceListener] {
        let limit = connectionsMax
        let address = configuration.listen
        await node.hub.start()
        let entrance = Entrance(
            hub: node.hub, admission: Admission(limits: configuration.limits, connectionsMax: limit),
            tls: try tlsContext(), trustedProxies: configuration.trustedProxies, logger: node.logger)
        let listener = try await DeviceListener(on: address, entrance: entrance, group: node.group)
        var listeners = [listener]
        if let own = configuration.janus?.listen {
            listeners.append(try await DeviceListener(on: own, speaking: .janus, entrance: entrance, group: node.group))
        }
        let janusPort = listeners.count > 1 ? listeners[1].localAddress?.port : nil
        NodeMetrics.add(to: node.metrics, hub: node.hub, entrance: entrance, reconciler: node.reconciler)
        NodeMetrics.addTopics(to: node.metrics, hub: node.hub, topicDesk: node.topicDesk)
        let devicePort = listener.localAddress?.port ?? address.port
        let grpcPort = try await grpcPort(node)
        let addresses = NodeAddresses(
            configuration: configuration, devicePort: devicePort, grpcPort: grpcPort, janusPort: janusPort)
        try await addresses.check(on: node.group)
        readiness.withLockedValue { $0 = "waiting for the registry" }
        let member = Member(
            incarnation: node.incarnation, weight: configuration.weight,
            capacity: configuration.capacity > 0 ? configuration.capacity : limit, zone: configuration.zone,
            endpoints: Endpoints(ws: addresses.webSocket, janus: addresses.janus, grpc: addresses.grpc),
            version: configuration.version, startedAt: WallClock.milliseconds() / 1000)
        try await registry.register(member, as: .push)
        readiness.withLockedValue { $0 = nil }
        started.settle(
            .success(
                BoundAddresses(
                    devices: devicePort, grpc: grpcPort, ops: try await node.ops.boundAddress.port, janus: janusPort,
                    incarnation: node.incarnation)))
        node.logger.notice(
            "push server takes devices",
            metadata: [
                Logger.Metadata.Key.address: "\(addresses.webSocket)",
                Logger.Metadata.Key.incarnation: "\(node.incarnation)", "connections_max": "\(limit)",
            ])
        return listeners
    }

    private func grpcPort(_ node: Node) async throws -> Int {
        do throws(WindfireError) {
            return try await node.rpc.boundAddress.port
        } catch {
            // The server itself knows why it does not listen, and its failure ends this task: it has the first word.
            try await Task.sleep(for: .seconds(5))
            throw error
        }
    }

    private func stop(_ node: Node, _ listeners: [DeviceListener]) async {
        // The work of leaving must not be cut short by the cancellation that asked for it.
        await Task { [configuration, registry, routes] in
            do throws(WindfireError) {
                try await registry.withdraw(configuration.node, as: .push)
            } catch {
                node.logger.info("not withdrawn", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            }
            for listener in listeners { await listener.stopAccepting() }
            await node.hub.onEach { $0.stopLogins() }
            await drain(node)
            await waitForLogins(node)
            do throws(WindfireError) {
                try await routes.bury(node.incarnation)
            } catch {
                node.logger.info("routes not taken back", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            }
            await node.hub.stop()
        }.value
        node.logger.notice("push server stopped")
    }

    /// Sends the devices away, evenly over the drain time, so that they do not arrive elsewhere all at once.
    private func drain(_ node: Node) async {
        let steps = 20
        let online = await node.hub.online() + node.hub.anonymous()
        let perStep = max(1, (online + steps - 1) / steps / node.hub.shards.count)
        for _ in 0...steps {
            let left = await node.hub.onEach { $0.closeSome(perStep, for: .nodeStopping) }.reduce(0, +)
            if left == 0 { break }
            try? await Task.sleep(for: configuration.drainTime / steps)
        }
        _ = await node.hub.onEach { $0.closeSome(.max, for: .nodeStopping) }
        // The last words leave with this turn of the loops; then the connections end with the process.
        try? await Task.sleep(for: .milliseconds(100))
    }

    /// A claim that reached the store after the burial would leave a route that nobody buries.
    private func waitForLogins(_ node: Node) async {
        let deadline = ContinuousClock.now + .seconds(5)
        while await node.hub.onEach(\.pendingCount).reduce(0, +) > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: Small parts

    private func opsServer(
        _ metrics: PrometheusRegistry, _ reporter: NodeReporter, _ logger: Logger
    ) throws -> HTTPServer {
        let router = HTTPFace.router(logger: logger, metrics: metrics)
        router.addMetrics(metrics)
        router.addHealth(
            checks + [
                ReadinessCheck("start") { [readiness] in readiness.withLockedValue { $0 } },
                ReadinessCheck("routes") { reporter.storeAnswers ? nil : "the route store does not answer" },
                ReadinessCheck("registry") { [registry] in
                    registry.state.isConnected ? nil : "the registry does not answer"
                },
            ])
        return HTTPServer(router: router, listen: configuration.opsListen, logger: logger)
    }

    private func tlsContext() throws -> NIOSSLContext? {
        guard let certificate = configuration.tlsCertificate, let key = configuration.tlsKey else { return nil }
        do {
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))))
        } catch {
            throw WindfireError(
                .configurationInvalid, "push.tls-certificate and push.tls-key cannot be used", cause: error)
        }
    }

    private var connectionsMax: Int {
        if configuration.limits.connectionsMax > 0 { return configuration.limits.connectionsMax }
        return DescriptorLimit.current * 9 / 10
    }
}
