import Common
import Logging
import NIOPosix
import TestKit

@testable import RedisStore

/// Route stores on one Redis, closed at the end.
actor StoreHarness: RouteStoreHarness, InboxHarness {
    private let configuration: RedisConfiguration
    private var stores: [RedisRouteStore] = []

    init(_ configuration: RedisConfiguration) { self.configuration = configuration }

    func makeStore(_ limits: Limits = .default) throws -> any RouteStore { try open(limits) }
    func makeMessageStore(_ limits: Limits) throws -> any MessageStore { try open(limits) }

    func open(_ limits: Limits = .default) throws -> RedisRouteStore {
        let store = try RedisRouteStore(
            configuration: configuration, limits: limits, logger: .quiet, group: .singletonMultiThreadedEventLoopGroup)
        stores.append(store)
        return store
    }

    func close() async {
        for store in stores { await store.shutDown() }
    }
}

func withStores<Result>(
    at url: String, _ change: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (StoreHarness) async throws -> Result
) async throws -> Result {
    var configuration = try RedisConfiguration(url: url)
    change(&configuration)
    let harness = StoreHarness(configuration)
    do {
        let result = try await body(harness)
        await harness.close()
        return result
    } catch {
        await harness.close()
        throw error
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "redis-tests", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

/// Servers that tests share as long as they do them no harm; those that kill and freeze start their own.
enum SharedServers {
    private static let singleServer = Task { try await RedisServer() }

    private static let sixNodes = Task { try await RedisCluster() }

    static func single() async throws -> RedisServer { try await singleServer.value }
    static func cluster() async throws -> RedisCluster { try await sixNodes.value }
}
