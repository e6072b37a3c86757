import Common
import Logging
import TestKit
import Testing

@testable import RedisStore

/// The store on a real Redis Cluster of six.
@Suite struct RedisClusterTests {
    @Test(arguments: RouteStoreContract.all)
    func contract(_ promise: RouteStoreContract) async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { try await promise.check($0) }
    }

    @Test func bucketsAreSpreadOverAllMasters() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { harness in
            let store = try await harness.open()
            let clients = try await claimMany(500, on: store)
            let located = try await store.locate(clients.map(\.client))
            #expect(located == clients.map { [$0.route] })
            for master in cluster.nodes[..<3] { #expect(try await master.cli("DBSIZE") != "0") }
            #expect(await store.isReachable())
        }
    }

    /// A slot moves while claims, look-ups and releases go on: no caller sees an error.
    @Test func aSlotIsMigratedDuringLoad() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { harness in
            let store = try await harness.open()
            let entries = try await claimMany(300, on: store)
            let client = entries[0].client
            let slot = Slot(of: Bucket(of: client))
            let load = Load()
            let target = try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var round = 0
                        while !load.isStopped {
                            round += 1
                            // Half of the work is in the slot that moves.
                            let claim = sampleClaim(client, "d\(worker)", UInt64(worker << 32 + round))
                            guard case .granted(let epoch, _, _) = try await store.claim(claim) else { continue }
                            let located = try await store.locate([client] + entries.map(\.client))
                            let session = located[0].first { $0.device == claim.device }?.session
                            #expect(session == claim.session)
                            #expect(located[2...].allSatisfy { $0.count == 1 })
                            #expect(try await store.release(sampleEntry(claim, epoch)))
                            load.finishedRound()
                        }
                    }
                }
                try await eventually("the load runs") { load.rounds > 20 }
                let migration = try await cluster.beginMigration(of: Int(slot.index))
                try await migration.finish()
                let before = load.rounds
                try await eventually("the load goes on") { load.rounds > before + 20 }
                load.stop()
                try await group.waitForAll()
                return migration.target
            }
            #expect(try await cluster.master(of: Int(slot.index)).port == target.port)
            #expect(try await target.cli("EXISTS", Keys.routes(Bucket(of: client))) == "1")
        }
    }

    /// Half-way: the routes of a bucket are over there already, the slot still belongs here. Look-ups follow ASK; a
    /// claim, which needs keys on both sides, waits (TRYAGAIN) until the migration goes on.
    @Test func aMigrationThatStopsHalfWayIsFollowed() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url, { $0.retryWindow = .seconds(20) }) { harness in
            let store = try await harness.open()
            let entry = try await claimMany(1, on: store)[0]
            let bucket = Bucket(of: entry.client)
            let migration = try await cluster.beginMigration(of: Int(Slot(of: bucket).index))
            try await migration.moveKey(Keys.routes(bucket))

            // The server says ASK, and the caller sees the route.
            let raw = try await migration.source.cli("HGET", Keys.routes(bucket), entry.client.text)
            #expect(raw.hasPrefix("ASK "))
            #expect(try await store.locate([entry.client]) == [[entry.route]])

            let laptop = sampleClaim(entry.client, "laptop", 77)
            let waiting = Task { try await store.claim(laptop) }
            let answer = try await migration.target.cli("EXISTS", Keys.epoch(bucket))
            #expect(answer.hasPrefix("MOVED "))
            try await migration.finish()
            guard case .granted(let epoch, displaced: [], inbox: _) = try await waiting.value else {
                Issue.record("the claim is granted in the end")
                return
            }
            #expect(epoch > entry.route.epoch)
            #expect(try await store.locate([entry.client])[0].count == 2)
            // The slot is there for good now: the old owner says MOVED, callers see nothing of it.
            let moved = try await migration.source.cli("HGET", Keys.routes(bucket), entry.client.text)
            #expect(moved.hasPrefix("MOVED "))
        }
    }

    /// A store whose map is old is told MOVED, and learns.
    @Test func aSlotThatMovedIsFound() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { harness in
            let (store, other) = (try await harness.open(), try await harness.open())
            let entry = try await claimMany(1, on: store)[0]
            #expect(try await other.locate([entry.client]) == [[entry.route]])
            try await cluster.beginMigration(of: Int(Slot(of: Bucket(of: entry.client)).index)).finish()
            for store in [store, other] { #expect(try await store.locate([entry.client]) == [[entry.route]]) }
        }
    }

    @Test func scriptsAreLoadedOnEveryNodeThatLacksThem() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { harness in
            let store = try await harness.open()
            for node in cluster.nodes[..<3] { _ = try await node.cli("SCRIPT", "FLUSH") }
            let entries = try await claimMany(100, on: store)
            #expect(try await store.locate(entries.map(\.client)) == entries.map { [$0.route] })
        }
    }

    /// A master dies; its replica takes over; the store finds it by itself.
    @Test func aLostMasterIsReplaced() async throws {
        let cluster = try await RedisCluster()
        try await withStores(at: cluster.url) { harness in
            let store = try await harness.open()
            let entry = try await claimMany(1, on: store)[0]
            let other = try await claimMany(20, on: store)
            let slot = Int(Slot(of: Bucket(of: entry.client)).index)
            let master = try await cluster.master(of: slot)
            _ = try await master.cli("WAIT", "1", "2000")
            await master.kill()
            try await eventually(within: .seconds(30), "the replica serves the slot") {
                try await store.locate([entry.client]) == [[entry.route]]
            }
            let claim = sampleClaim(entry.client, "laptop", 5)
            guard case .granted = try await store.claim(claim) else {
                Issue.record("the new master takes claims")
                return
            }
            #expect(try await store.locate(other.map(\.client)).count == other.count)
        }
    }
}
