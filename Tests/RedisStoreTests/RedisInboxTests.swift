import Common
import TestKit
import Testing

@testable import RedisStore

/// One server for all promises, which run side by side on it.
@Suite struct RedisInboxTests {
    @Test(arguments: InboxContract.all)
    func contract(_ promise: InboxContract) async throws {
        let server = try await SharedServers.single()
        try await withStores(at: server.url) { try await promise.check($0) }
    }
}

/// The same on a Cluster: what one call touches is in one slot.
@Suite struct RedisClusterInboxTests {
    @Test(arguments: InboxContract.all)
    func contract(_ promise: InboxContract) async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { try await promise.check($0) }
    }
}
