import Common
import Logging
import NIOPosix
import TestKit
import Testing

@testable import RedisStore

/// One server for all promises, which run side by side on it.
@Suite struct RedisRouteStoreTests {
    @Test(arguments: RouteStoreContract.all)
    func contract(_ promise: RouteStoreContract) async throws {
        let server = try await SharedServers.single()
        try await withStores(at: server.url) { try await promise.check($0) }
    }
}
