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

    @Test func `a hundred clients share a command, whatever their buckets`() async throws {
        let server = try await SharedServers.single()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let run = UInt64.random(in: .min ... .max).hex16
            var byBucket: [Bucket: [ClientID]] = [:]
            for number in 0..<150_000 {
                let client = ClientID(unchecked: "\(number)-\(run)")
                byBucket[Bucket(of: client), default: []].append(client)
            }
            let spread = byBucket.values.prefix(1_000).compactMap(\.first)
            let together = try #require(byBucket.values.first { $0.count >= 120 }).prefix(100)
            try #require(spread.count == 1_000)
            try await warm(store, run)

            func commands(_ body: () async throws -> Void) async throws -> Int {
                let before = store.client.commandsSent
                try await body()
                return store.client.commandsSent - before
            }
            let message = sampleMessage(1)
            let many = try await commands {
                let results = await store.store(message, for: Array(spread), isRepeat: false)
                #expect(results.allSatisfy { if case .stored = $0 { true } else { false } })
            }
            #expect(many == 10)
            for number in 0..<101 {
                let shared = try await commands {
                    let results = await store.store(sampleMessage(number), for: Array(together), isRepeat: false)
                    #expect(results.allSatisfy { if case .stored = $0 { true } else { false } })
                }
                #expect(shared == 1)
            }
            let claimed = try await commands {
                guard case .granted(_, _, let page) = try await store.claim(sampleClaim(together[0], "phone", 1)) else {
                    return
                }
                #expect(page.messages.count == 100 && page.isMore)
            }
            #expect(claimed == 1)
            let read = try await commands {
                let page = try await store.readInbox(of: together[1], for: .default, after: nil)
                #expect(page.messages.count == 100)
            }
            #expect(read == 1)
            let acknowledged = try await commands {
                let last = try #require(StreamPosition("9999999999999-0"))
                let results = await store.acknowledge(
                    together.map { Acknowledgement(client: $0, device: .default, upTo: last) })
                #expect(results.allSatisfy { if case .acknowledged(let upTo, _) = $0 { upTo > .start } else { false } })
            }
            #expect(acknowledged == 1)
            #expect(try await commands { _ = try await store.inboxHeads(Array(together)) } == 1)
        }
    }

    /// Calls each script once, so that none has to be loaded later.
    private func warm(_ store: RedisRouteStore, _ run: String) async throws {
        let client = ClientID(unchecked: "warm-\(run)")
        _ = await store.store(sampleMessage(0), for: [client], isRepeat: false)
        _ = try await store.claim(sampleClaim(client, "phone", 1))
        _ = try await store.readInbox(of: client, for: .default, after: nil)
        _ = await store.acknowledge([Acknowledgement(client: client, device: .default, upTo: .start)])
        _ = try await store.inboxHeads([client])
    }

    /// The call that died may have stored its message: it is sent again as a repeat.
    @Test func `connections that die while messages are stored leave each of them once`() async throws {
        let server = try await RedisServer()
        try await withStores(
            at: server.url,
            {
                $0.retryWindow = .seconds(20)
                $0.commandTimeout = .seconds(20)
            }
        ) { harness in
            let store = try await harness.open()
            let client = ClientID(unchecked: "a")
            let killing = Load()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !killing.isStopped {
                        _ = try await server.cli("CLIENT", "KILL", "TYPE", "normal")
                        killing.finishedRound()
                    }
                }
                var number = 0
                while number < 200 || killing.rounds < 20 {
                    let message = sampleMessage(number)
                    var isRepeat = false
                    try await eventually(within: .seconds(30), "message \(number) is stored", poll: .milliseconds(5)) {
                        let result = await store.store(message, for: [client], isRepeat: isRepeat)[0]
                        isRepeat = true
                        if case .stored = result { return true } else { return false }
                    }
                    number += 1
                }
                killing.stop()
                try await group.waitForAll()
                var seen: [String] = []
                var page = try await store.readInbox(of: client, for: .default, after: nil)
                while true {
                    seen += page.messages.map { String(decoding: $0.message.data, as: UTF8.self) }
                    guard page.isMore, let last = page.messages.last else { break }
                    page = try await store.readInbox(of: client, for: .default, after: last.id)
                }
                #expect(seen == (max(0, number - 1_000)..<number).map(String.init))
            }
        }
    }
}

/// The same on a Cluster: what one call touches is in one slot.
@Suite struct RedisClusterInboxTests {
    @Test(arguments: InboxContract.all)
    func contract(_ promise: InboxContract) async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { try await promise.check($0) }
    }

    @Test func `a slot that moves takes its inboxes along, and nothing is lost or doubled`() async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url, { $0.retryWindow = .seconds(20) }) { harness in
            let store = try await harness.open()
            let client = ClientID(unchecked: "moves-\(UInt64.random(in: .min ... .max).hex16)")
            let load = Load()
            let storing = Task {
                var number = 0
                while !load.isStopped {
                    let result = await store.store(sampleMessage(number), for: [client], isRepeat: false)[0]
                    guard case .stored = result else { throw ChildProcessFailure("not stored but \(result)") }
                    number += 1
                    load.finishedRound()
                }
                return number
            }
            try await eventually("messages are stored") { load.rounds > 20 }
            try await cluster.beginMigration(of: Int(Slot(of: Bucket(of: client)).index)).finish()
            let before = load.rounds
            try await eventually("it goes on") { load.rounds > before + 20 }
            load.stop()
            let count = try await storing.value
            let summary = try await store.inboxSummary(of: client)
            #expect(summary.count == min(count, 1_000))
            #expect(summary.last?.sequence == UInt64(count))
        }
    }
}
