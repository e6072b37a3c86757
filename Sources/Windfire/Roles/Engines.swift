import Common
import Logging
import MySQLJobStore
import NIOPosix
import NodeRPC
import RedisStore
import SQLiteJobStore
import ServiceLifecycle
import ZooKeeperRegistry

/// What every role stands on: who is there, who is where, and how nodes are asked. Real engines by their addresses, or
/// the ones in memory when all roles share a process.
struct Engines: Sendable {
    let registry: any Registry
    let routes: any RouteStore & InboxStore & TopicStore
    let caller: GRPCNodeCaller
    let secret: SharedSecret
    /// To be run before the roles and stopped after them.
    let services: [any Service]
    /// Called when everything else has ended.
    let close: @Sendable () async -> Void

    /// - Parameter memory: the route store of `memory:`, when it is to be another than a new one.
    /// - Throws: `configuration_invalid` when an address cannot be read.
    init(
        _ configuration: Configuration, memory: InMemoryRouteStore? = nil, logger: Logger
    ) throws(WindfireError) {
        let secret = try SharedSecret(configuration.cluster.secret ?? Configuration.developmentSecret)
        let caller = GRPCNodeCaller(secret: secret, logger: logger)
        let registry = try Self.registry(configuration, logger: logger)
        if configuration.routes == "memory:" {
            routes = memory ?? InMemoryRouteStore(limits: configuration.limits)
            close = {}
        } else {
            let store = try RedisRouteStore(
                configuration: Self.redis(configuration), limits: configuration.limits, logger: logger,
                group: MultiThreadedEventLoopGroup.singleton)
            routes = store
            close = { await store.shutDown() }
        }
        self.registry = registry
        self.secret = secret
        self.caller = caller
        services = [RegistryConnection(registry: registry), caller]
    }

    private static func registry(
        _ configuration: Configuration, logger: Logger
    ) throws(WindfireError) -> any Registry {
        if configuration.registry == "memory:" { return InMemoryRegistry() }
        return ZooKeeperRegistry(
            .init(
                address: try ZooKeeperAddress(configuration.registry),
                sessionTimeout: configuration.zookeeper.sessionTimeout),
            logger: logger)
    }

    /// The Redis at an address alone, for a tool. To be shut down by it.
    /// - Throws: `configuration_invalid` when the address cannot be read.
    static func redisStore(at url: String, logger: Logger) throws(WindfireError) -> RedisRouteStore {
        try RedisRouteStore(
            configuration: RedisConfiguration(url: url), limits: .default, logger: logger,
            group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Where PushRoute keeps its jobs. Opens the file, which blocks for as long as the disk takes, or dials the server;
    /// one that is away does not stop the start. The caller closes it.
    /// - Throws: `configuration_invalid`, `jobs_unavailable` or `jobs_schema_unknown`, which stop the start.
    static func jobs(
        _ configuration: Configuration, logger: Logger
    ) async throws(WindfireError) -> any JobStore {
        switch configuration.route.jobs {
        case .memory: return InMemoryJobStore()
        case .sqlite(let path): return try jobFile(path)
        case .mysql(let url):
            let server = try MySQLConfiguration(url: url, password: configuration.route.jobsPassword)
            return try await MySQLJobStore.open(server, logger: logger)
        }
    }

    /// A job store whose failures at the start name the file; those of calls do not, since callers read them.
    static func jobFile(_ path: String) throws(WindfireError) -> any JobStore {
        do throws(WindfireError) {
            return try SQLiteJobStore(.init(path: path))
        } catch {
            throw WindfireError(error.code, "\(path): \(error.message)", cause: error.cause)
        }
    }

    private static func redis(_ configuration: Configuration) throws(WindfireError) -> RedisConfiguration {
        var redis = try RedisConfiguration(url: configuration.routes)
        redis.commandTimeout = configuration.redis.timeout
        redis.connectionsPerNode = configuration.redis.connections
        if let authority = configuration.redis.tlsCA { redis.tls?.authoritiesFile = authority }
        return redis
    }
}

/// Holds the registry's connection while the roles run, and gives the entries back after them.
private struct RegistryConnection: Service {
    let registry: any Registry

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await registry.run() }
    }
}
