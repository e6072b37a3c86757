import TestKit
import Testing

/// Two push routes that share their jobs on a real MariaDB, as on two machines.
@Suite struct JobDatabaseTests {
    /// The database dies under a job and comes back, and so does a push route: pushes that need no job go on meanwhile,
    /// and the job ends with every client counted once and nobody served twice.
    @Test(.timeLimit(.minutes(4))) func aJobOutlivesTheDatabaseAndThePushRoute() async throws {
        let mariaDB = try await MariaDBServer()
        let cluster = try await WindfireCluster(
            auths: 1, nodes: 2, routes: 2,
            configuration: ["WINDFIRE_ROUTE_JOBS": mariaDB.url(try await mariaDB.makeDatabase())])
        do {
            try await run(cluster, mariaDB)
        } catch {
            print(cluster.logTails())
            await cluster.stop()
            throw error
        }
        await cluster.stop()
        for route in cluster.routes { #expect(!route.log.contains(MariaDBServer.password), "\(route.name)") }
    }

    private func run(_ cluster: WindfireCluster, _ mariaDB: MariaDBServer) async throws {
        let online = (0..<200).map { "base-\($0)" }
        let devices = try await Swarm.connect(online, to: cluster)
        let absent = (0..<39_800).map { "base-away-\($0)" }
        let id = try await cluster.begin((online + absent).shuffled(), ratePerSecond: 5_000)
        try await eventually("some chunks are done") { try await cluster.job(id).done_chunks >= 5 }

        await mariaDB.kill()
        let answer = try await HTTPCall(url: "\(cluster.routes[0].url)/v1/jobs/\(id)", bearer: cluster.adminKey)
            .answer()
        #expect(answer.status == 503)
        let small = try await cluster.push(Array(online.prefix(10)))
        #expect(small.delivered == 10)
        try await mariaDB.restart()
        try await eventually("chunks are done again") { try await cluster.job(id).done_chunks >= 10 }

        try await cluster.routes[0].kill()
        let receipt = try await cluster.receipt(of: id)
        #expect(receipt.total == 40_000)
        #expect(receipt.delivered == 200)
        #expect(receipt.offline == 39_800)
        #expect(receipt.failed == 0)
        #expect(try #require(receipt.undelivered).map(\.client).sorted() == absent.sorted())
        try await eventually("everyone has heard it") { devices.allSatisfy { $0.heard.messages[id] != nil } }
        for device in devices { #expect(device.heard.messages[id] == 1, "\(device.client)") }
    }
}
