import ArgumentParser
import AuthService
import Common
import HTTPSupport
import Logging
import NodeRPC
import PushRoute
import PushServer
import ServiceLifecycle

/// Every role in one process on the engines in memory: the whole system, and nothing to install.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run every role in one process; any client is let in with the secret `dev`.",
        discussion: "With --registry and --routes the same roles use the real engines.")

    @Option(help: "Push servers to run.")
    var nodes = 1

    @Option(help: "Devices that connect, drop and return by themselves.")
    var simulate = 0

    @Option(help: "First port: +0 auth, +100 push API, +200, +203, … push servers.")
    var portBase = 8100

    @Option(help: "Folder that keeps stored messages and jobs over a restart; without it they go with the process.")
    var dataDir: String?

    @OptionGroup var keys: ConfigurationFlags

    func validate() throws {
        guard (1...32).contains(nodes) else { throw ValidationError("--nodes takes 1 to 32") }
        guard (0...10_000).contains(simulate) else { throw ValidationError("--simulate takes 0 to 10000") }
        guard (1...65_000).contains(portBase) else { throw ValidationError("--port-base takes 1 to 65000") }
    }

    func run() async throws {
        let configuration = try keys.loadChecked(for: .dev)
        try await started {
            let logger = RoleRunner.logger(for: "dev", configuration, format: .pretty)
            let data = try DevData(in: dataDir)
            let memory = InMemoryRouteStore(limits: configuration.limits, journal: data.journal)
            try await memory.restore()
            let engines = try Engines(configuration, memory: memory, logger: logger)
            let auth = try AuthService(
                configuration: try authSettings(configuration), registry: engines.registry, routes: engines.routes,
                logger: logger)
            let metrics = PrometheusRegistry()
            let webhook = try configuration.offlineWebhook(metrics: metrics, logger: logger)
            let route = try pushRoute(configuration, engines, data.jobs, webhook, metrics, logger)
            var services: [any Service] = engines.services
            if let webhook { services.append(webhook) }
            services += [auth, route] as [any Service]
            let verifier = try JWTTokenVerifier(
                .init(issuer: configuration.auth.issuer, audience: configuration.auth.audience), keys: auth.keys,
                now: { Int64(WallClock.milliseconds() / 1000) })
            var pushServers: [PushServerService] = []
            for number in 1...nodes {
                pushServers.append(
                    PushServerService(
                        configuration: try pushSettings(configuration, number: number), registry: engines.registry,
                        routes: engines.routes, verifier: verifier, caller: engines.caller, secret: engines.secret,
                        logger: logger))
            }
            services += pushServers
            let watched = pushServers
            services.append(Greeting { await greet(watched) })
            if simulate > 0 {
                services.append(
                    Simulation(
                        devices: simulate, auth: "http://127.0.0.1:\(portBase)",
                        secret: Configuration.developmentSecret,
                        logger: logger, ready: { for server in watched { _ = try? await server.bound } }))
            }
            do {
                try await RoleRunner.run(services, engines: engines, logger: logger)
            } catch {
                await data.close()
                throw error
            }
            await data.close()
        }
    }

    private func authSettings(_ configuration: Configuration) throws(WindfireError) -> AuthServiceConfiguration {
        var settings = AuthServiceConfiguration()
        settings.isDev = true
        settings.listen = HostPort(host: "127.0.0.1", port: portBase)
        settings.authenticators = [.dev]
        settings.tokens.issuer = configuration.auth.issuer
        settings.tokens.audience = configuration.auth.audience
        settings.tokens.life = configuration.auth.tokenTTL
        settings.heartbeat = configuration.limits.heartbeat
        settings.apiKeys = adminKeys(configuration)
        return settings
    }

    private func adminKeys(_ configuration: Configuration) -> [String] {
        let key = configuration.admin.key ?? Configuration.developmentSecret
        return configuration.api.keys.map(\.description)
            + [HTTPSupport.APIKeys.entry(name: "admin", role: .admin, key: key)]
    }

    private func pushRoute(
        _ configuration: Configuration, _ engines: Engines, _ jobs: any JobStore, _ offline: OfflineWebhook?,
        _ metrics: PrometheusRegistry, _ logger: Logger
    ) throws(WindfireError) -> PushRouteService {
        var settings = PushRouteConfiguration(
            incarnation: .new(of: NodeID(unchecked: "route-1")),
            listen: HostPort(host: "127.0.0.1", port: portBase + 100),
            keys: try HTTPSupport.APIKeys(adminKeys(configuration)), limits: configuration.limits,
            version: Version.text, startedAt: WallClock.milliseconds() / 1000)
        settings.janitor.grace = configuration.route.buryAfter
        settings.keeper.kept = configuration.route.jobsKept
        return PushRouteService(
            configuration: settings, registry: engines.registry, routes: engines.routes, nodes: engines.caller,
            jobs: jobs, offline: offline, metrics: metrics, logger: logger)
    }

    private func pushSettings(
        _ configuration: Configuration, number: Int
    ) throws(WindfireError) -> PushServerConfiguration {
        let port = portBase + 200 + (number - 1) * 3
        var settings = try configuration.pushServer()
        settings.node = NodeID(unchecked: "n\(number)")
        settings.listen = HostPort(host: "127.0.0.1", port: port)
        settings.grpcListen = HostPort(host: "127.0.0.1", port: port + 1)
        settings.opsListen = HostPort(host: "127.0.0.1", port: port + 2)
        settings.advertisedWebSocket = nil
        settings.advertisedGRPC = nil
        // One port, one node.
        if number > 1 { settings.janus?.listen = nil }
        settings.drainTime = .seconds(1)
        return settings
    }

    private func greet(_ servers: [PushServerService]) async {
        for server in servers { guard (try? await server.bound) != nil else { return } }
        let key = "Authorization: Bearer dev"
        Output.line(
            """

            Windfire is up: \(nodes) push server\(nodes == 1 ? "" : "s") and every other role in this process.

              tokens   http://127.0.0.1:\(portBase)/v1/token
              pushes   http://127.0.0.1:\(portBase + 100)/v1/push
              devices  ws://127.0.0.1:\(portBase + 200)/v1/connect

            Try, in another terminal:

              windfire subscribe --client alice --secret dev --auth http://127.0.0.1:\(portBase)
              windfire push --to alice --data '{"hello":"world"}' --route http://127.0.0.1:\(portBase + 100)
              curl -H '\(key)' http://127.0.0.1:\(portBase + 100)/v1/online

            Ctrl-C ends it.

            """)
    }
}

/// Says once that everything is up.
private struct Greeting: Service {
    let say: @Sendable () async -> Void

    func run() async throws {
        await say()
        try? await gracefulShutdown()
    }
}
