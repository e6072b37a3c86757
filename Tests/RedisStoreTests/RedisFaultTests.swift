import Common
import Logging
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import RedisStore

/// What happens when Redis goes away, comes back, forgets, or is not what it should be.
@Suite struct RedisFaultTests {
    private func withClient<Result>(
        _ url: String, _ change: (inout RedisConfiguration) -> Void = { _ in },
        _ body: (RedisClient) async throws -> Result
    ) async throws -> Result {
        var configuration = try RedisConfiguration(url: url)
        change(&configuration)
        let client = try RedisClient(
            configuration: configuration, logger: .quiet, group: .singletonMultiThreadedEventLoopGroup)
        do {
            let result = try await body(client)
            await client.shutDown()
            return result
        } catch {
            await client.shutDown()
            throw error
        }
    }

    private func echo(_ client: RedisClient, _ number: Int) async throws -> String? {
        try await client.execute([RedisCommand("ECHO", String(number))])[0].text
    }

    @Test func aServerThatIsKilledUnderLoadMixesUpNoReplies() async throws {
        let server = try await RedisServer()
        try await withClient(server.url) { client in
            let load = Load()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<32 {
                    group.addTask {
                        var number = worker * 10_000_000
                        var failures = 0
                        while !load.isStopped {
                            number += 1
                            do {
                                #expect(try await echo(client, number) == String(number))
                                load.finishedRound()
                            } catch {
                                #expect((error as? WindfireError)?.code == .routesUnavailable)
                                failures += 1
                            }
                        }
                        return failures
                    }
                }
                for _ in 0..<5 {
                    let before = load.rounds
                    try await eventually("echoes come back") { load.rounds > before + 500 }
                    await server.kill()
                    try await server.restart()
                }
                let before = load.rounds
                try await eventually("it has reconnected by itself") { load.rounds > before + 500 }
                load.stop()
                // Every task ends, so no call is left without an answer.
                for try await _ in group {}
            }
        }
    }

    @Test func aFrozenServerTimesOutAndItsLateRepliesAreNobodys() async throws {
        let server = try await RedisServer()
        try await withClient(server.url, { $0.commandTimeout = .milliseconds(300) }) { client in
            #expect(try await echo(client, 1) == "1")
            await server.pause()
            await withTaskGroup { group in
                for number in 2..<10 {
                    group.addTask {
                        let error = await #expect(throws: WindfireError.self) { try await echo(client, number) }
                        #expect(error?.code == .routesUnavailable)
                        #expect(error?.retryAfter != nil)
                    }
                }
            }
            #expect(await client.isReachable() == false)
            await server.resume()
            try await eventually("it answers again") { await client.isReachable() }
            for number in 10..<60 { #expect(try await echo(client, number) == String(number)) }
        }
    }

    @Test func withoutAServerCallersAreToldInTime() async throws {
        let port = try FreePorts.one()
        try await withClient("redis://127.0.0.1:\(port)", { $0.commandTimeout = .milliseconds(200) }) { client in
            let start = ContinuousClock.now
            let error = await #expect(throws: WindfireError.self) { try await echo(client, 1) }
            #expect(error?.code == .routesUnavailable)
            #expect(ContinuousClock.now - start >= .milliseconds(190))
            #expect(await client.isReachable() == false)
        }
    }

    @Test func afterTheEndNothingIsSent() async throws {
        let server = try await SharedServers.single()
        let error = try await withClient(server.url) { client in
            await client.shutDown()
            return await #expect(throws: WindfireError.self) { try await echo(client, 1) }
        }
        #expect(error?.code == .routesUnavailable)
    }

    @Test func aWipedStoreFillsAgainAndEpochsGoOnRising() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let entries = try await claimMany(20, on: store)
            #expect(try await server.cli("FLUSHALL") == "OK")
            #expect(try await store.locate(entries.map(\.client)).allSatisfy(\.isEmpty))
            for entry in entries { #expect(try await store.reclaim(entry, generation: .first) == .kept) }
            #expect(try await store.locate(entries.map(\.client)) == entries.map { [$0.route] })

            #expect(try await server.cli("FLUSHALL") == "OK")
            guard case .granted(let epoch, [], _) = try await store.claim(sampleClaim(entries[0].client, "phone", 99))
            else {
                Issue.record("granted")
                return
            }
            #expect(epoch > entries[0].route.epoch)
            #expect(try await store.reclaim(entries[0], generation: .first) == .superseded)
        }
    }

    @Test func generationsGoOnRisingAcrossAWipe() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let client = ClientID(unchecked: "a")
            let before = try await store.revoke(client)
            #expect(try await server.cli("FLUSHALL") == "OK")
            #expect(try await store.revoke(client) > before)
        }
    }

    @Test func aScriptCacheThatIsEmptiedIsFilledAgain() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            for _ in 0..<3 {
                let entries = try await claimMany(3, on: store)
                #expect(try await server.cli("SCRIPT", "FLUSH") == "OK")
                #expect(try await store.release(entries[0]))
                #expect(try await store.bury(sampleIncarnation) >= 2)
            }
            #expect(Int(try await server.cli("EVALSHA", Script.bury.digest, "2", "x", "y", "z")) == 0)
        }
    }

    @Test func wrongCredentialsAreNamedAtOnce() async throws {
        var options = RedisServer.Options()
        options.password = "main"
        options.user = ("ann", "secret")
        let server = try await RedisServer(options)
        for credentials in ["", ":wrong@", "ann:wrong@", "nobody:secret@"] {
            try await withClient("redis://\(credentials)\(server.address)", { $0.commandTimeout = .seconds(30) }) {
                client in
                let error = await #expect(throws: WindfireError.self) { try await echo(client, 1) }
                #expect(
                    error?.message == "Redis refused the user, the password, or a permission", "\(credentials)")
                #expect(error?.code == .routesUnavailable)
            }
        }
        for credentials in [":main@", "default:main@", "ann:secret@"] {
            try await withClient("redis://\(credentials)\(server.address)") { client in
                let echoed = try await echo(client, 1)
                #expect(echoed == "1")
            }
        }
    }

    @Test func databasesAreApart() async throws {
        let server = try await SharedServers.single()
        try await withClient("\(server.url)/3") { client in
            _ = try await client.execute([RedisCommand("SET", "only-in-3", "1")])
            #expect(try await server.cli("EXISTS", "only-in-3") == "0")
            #expect(try await server.cli("-n", "3", "EXISTS", "only-in-3") == "1")
        }
    }

    @Test func tlsIsSpokenAndChecked() async throws {
        var options = RedisServer.Options()
        options.tls = true
        let server = try await RedisServer(options)
        let port = try #require(server.tlsPort)
        for host in ["localhost", "127.0.0.1"] {
            try await withStores(
                at: "rediss://\(host):\(port)", { $0.tls?.authoritiesFile = server.authoritiesFile }
            ) { harness in
                let store = try await harness.open()
                let entries = try await claimMany(3, on: store)
                #expect(try await store.locate(entries.map(\.client)) == entries.map { [$0.route] })
            }
        }
        // An authority that we do not know.
        try await withClient("rediss://localhost:\(port)", { $0.commandTimeout = .milliseconds(500) }) { client in
            #expect(await client.isReachable() == false)
        }
        try await withClient("rediss://localhost:\(port)", { $0.tls?.verification = .none }) { client in
            let echoed = try await echo(client, 1)
            #expect(echoed == "1")
        }
    }

    @Test func aClusterNodeUnderAPlainAddressSaysWhatIsWrong() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: "redis://\(cluster.nodes[0].address)") { harness in
            let store = try await harness.open()
            let error = await #expect(throws: WindfireError.self) {
                try await store.locate((0..<100).map { ClientID(unchecked: "c\($0)") })
            }
            #expect(error?.message.contains("redis+cluster://") == true)
        }
    }

    @Test func foreignValuesUnderOurKeysAreLeftOutOrNamed() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let entry = try await claimMany(1, on: store)[0]
            let key = Keys.routes(Bucket(of: entry.client))
            let value = try await server.cli("HGET", key, entry.client.text)
            _ = try await server.cli("HSET", key, entry.client.text, "garbage\n\(value)\n|||")
            #expect(try await store.locate([entry.client]) == [[entry.route]])
            #expect(store.corruptRoutes == 2)
            // A claim cleans up.
            guard case .granted = try await store.claim(sampleClaim(entry.client, "laptop", 2)) else {
                Issue.record("granted")
                return
            }
            #expect(try await store.locate([entry.client])[0].count == 2)
            #expect(store.corruptRoutes == 2)

            _ = try await server.cli("SET", key, "not a hash")
            let error = await #expect(throws: WindfireError.self) { try await store.locate([entry.client]) }
            #expect(error?.code == .routesUnavailable)
        }
    }

    @Test func aReplicaIsNotWrittenTo() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url, { $0.retryWindow = .seconds(20) }) { harness in
            let store = try await harness.open()
            let entry = try await claimMany(1, on: store)[0]
            let port = try FreePorts.one()
            _ = try await server.cli("REPLICAOF", "127.0.0.1", "\(port)")
            let waiting = Task { try await store.release(entry) }
            let refusals = { try await server.cli("INFO", "errorstats").contains("errorstat_READONLY") }
            try await eventually("the write is refused") { try await refusals() }
            _ = try await server.cli("REPLICAOF", "NO", "ONE")
            #expect(try await waiting.value)
        }
    }
}
