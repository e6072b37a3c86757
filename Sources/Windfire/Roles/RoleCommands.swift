import ArgumentParser
import AuthService
import Common
import HTTPSupport
import Logging
import NodeRPC
import PushRoute
import PushServer
import ServiceLifecycle

struct AuthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth", abstract: "Give out tokens and nodes.", discussion: ConfigurationFlags.manual(of: .auth))

    @OptionGroup var keys: ConfigurationFlags

    func run() async throws {
        let configuration = try keys.loadChecked(for: .auth)
        try await started {
            let logger = RoleRunner.logger(for: "auth", configuration)
            let engines = try Engines(configuration, logger: logger)
            let service = try AuthService(
                configuration: configuration.authService(), registry: engines.registry, routes: engines.routes,
                logger: logger)
            try await RoleRunner.run(engines.services + [service], engines: engines, logger: logger)
        }
    }
}

struct PushServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push-server", abstract: "Hold the devices' connections.",
        discussion: ConfigurationFlags.manual(of: .pushServer))

    @OptionGroup var keys: ConfigurationFlags

    func run() async throws {
        let configuration = try keys.loadChecked(for: .pushServer)
        try await started {
            let logger = RoleRunner.logger(for: "push-server", configuration)
            let engines = try Engines(configuration, logger: logger)
            let published = RemoteKeySet(.init(url: configuration.push.jwksURL), logger: logger)
            let verifier = try JWTTokenVerifier(
                .init(issuer: configuration.auth.issuer, audience: configuration.auth.audience), keys: published,
                now: { Int64(WallClock.milliseconds() / 1000) })
            let service = PushServerService(
                configuration: try configuration.pushServer(), registry: engines.registry, routes: engines.routes,
                verifier: verifier, caller: engines.caller, secret: engines.secret, readiness: [published.readiness],
                logger: logger)
            try await RoleRunner.run(engines.services + [published, service], engines: engines, logger: logger)
        }
    }
}

struct PushRouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push-route", abstract: "Take pushes and bring them to the nodes.",
        discussion: ConfigurationFlags.manual(of: .pushRoute))

    @OptionGroup var keys: ConfigurationFlags

    func run() async throws {
        let configuration = try keys.loadChecked(for: .pushRoute)
        try await started {
            let logger = RoleRunner.logger(for: "push-route", configuration)
            let engines = try Engines(configuration, logger: logger)
            let metrics = PrometheusRegistry()
            let webhook = try configuration.offlineWebhook(metrics: metrics, logger: logger)
            let jobs = try await Engines.jobs(configuration, logger: logger)
            let service = PushRouteService(
                configuration: try configuration.pushRoute(), registry: engines.registry, routes: engines.routes,
                nodes: engines.caller, jobs: jobs, offline: webhook, metrics: metrics, logger: logger)
            // Stopped after the pushes have ended, so that the last of them are told, too.
            let tellers: [any Service] = webhook.map { [$0] } ?? []
            do {
                try await RoleRunner.run(engines.services + tellers + [service], engines: engines, logger: logger)
            } catch {
                await jobs.close()
                throw error
            }
            await jobs.close()
        }
    }
}

/// Runs a role; what stops its start is told in one sentence.
func started(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as WindfireError {
        throw CommandFailure(error)
    }
}
