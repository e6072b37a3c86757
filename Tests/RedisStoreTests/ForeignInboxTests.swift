import Common
import TestKit
import Testing

@testable import RedisStore

/// What somebody else does to the keys of inboxes: a named error or something left out, never a crash, and nobody
/// else's harm.
@Suite struct ForeignInboxTests {
    private let client = ClientID(unchecked: "client-\(UInt64.random(in: .min ... .max).hex16)")
    private var bucket: Bucket { Bucket(of: client) }

    /// Another client of the same bucket.
    private var neighbour: ClientID {
        for number in 0... {
            let other = ClientID(unchecked: "\(client)-\(number)")
            if Bucket(of: other) == bucket { return other }
        }
        return client
    }

    private func with(_ body: (RedisRouteStore, RedisServer) async throws -> Void) async throws {
        let server = try await SharedServers.single()
        try await withStores(at: server.url) { try await body(try await $0.open(), server) }
    }

    @Test(arguments: ["inbox", "cursor"])
    func `a key of another type fails for its client alone`(key: String) async throws {
        try await with { store, server in
            let key = key == "inbox" ? Keys.inbox(bucket, client) : Keys.cursor(bucket, client)
            _ = try await server.cli("SET", key, "mine")
            let results = await store.store(sampleMessage(1), for: [client, neighbour], isRepeat: false)
            let refused = WindfireError(.routesUnavailable, "Redis refused a command")
            #expect(results[0] == .failed(refused))
            guard case .stored(let id, nil, false, []) = results[1] else {
                Issue.record("stored, not \(results[1])")
                return
            }
            await #expect(throws: refused) { _ = try await store.claim(sampleClaim(client, "phone", 1)) }
            await #expect(throws: refused) { _ = try await store.inboxSummary(of: client) }
            let acknowledged = await store.acknowledge([
                Acknowledgement(client: client, device: .default, upTo: id),
                Acknowledgement(client: neighbour, device: .default, upTo: id),
            ])
            #expect(acknowledged[1] == .acknowledged(upTo: id, first: [:]))
            if key.contains(":cursor:") {
                #expect(acknowledged[0] == .failed(refused))
                await #expect(throws: refused) {
                    _ = try await store.readInbox(of: client, for: .default, after: nil)
                }
                await #expect(throws: (any Error).self) { _ = try await store.inboxHeads([client]) }
            }
        }
    }

    @Test func `entries that are not ours are left out and counted`() async throws {
        try await with { store, server in
            let first = await store.store(sampleMessage(1), for: [client], isRepeat: false)
            _ = try await server.cli("XADD", Keys.inbox(bucket, client), "*", "hello", "world")
            _ = try await server.cli("XADD", Keys.inbox(bucket, client), "*", "p", "x", "d", "1", "t", "2", "x", "3x")
            _ = await store.store(sampleMessage(2), for: [client], isRepeat: false)
            let page = try await store.readInbox(of: client, for: .default, after: nil)
            guard case .stored(let id, _, _, _) = first[0] else {
                Issue.record("stored, not \(first)")
                return
            }
            #expect(page.messages.map { String(decoding: $0.message.data, as: UTF8.self) } == ["1", "2"])
            #expect(page.messages.first?.id == id)
            #expect(store.corruptRoutes == 2)
        }
    }

    @Test func `a cursor hash full of rubbish counts as missing`() async throws {
        try await with { store, server in
            _ = try await server.cli(
                "HSET", Keys.cursor(bucket, client), "last", "rubbish", "acked", "-", "trimmed", "1-2-3", "bytes",
                "many", "devices", "phone|x|0|0\n|1-1|0|0\nlaptop|1-1|0")
            _ = await store.store(sampleMessage(1), for: [client], isRepeat: false)
            guard case .granted(_, _, let page) = try await store.claim(sampleClaim(client, "phone", 1)) else {
                Issue.record("the claim is granted")
                return
            }
            #expect(page.messages.count == 1)
            #expect(try await store.inboxSummary(of: client).devices.map(\.device.text) == ["phone"])
        }
    }

    @Test func `a stream or a cursor hash that was taken away does not turn ids back`() async throws {
        try await with { store, server in
            func put(_ number: Int) async throws -> StreamPosition {
                let result = await store.store(sampleMessage(number), for: [client], isRepeat: false)[0]
                guard case .stored(let id, _, _, _) = result else { throw ChildProcessFailure("\(result)") }
                return id
            }
            let first = try await put(1)
            #expect(try await server.cli("DEL", Keys.inbox(bucket, client)) == "1")
            let second = try await put(2)
            #expect(second > first)
            #expect(try await server.cli("DEL", Keys.cursor(bucket, client)) == "1")
            let third = try await put(3)
            #expect(third > second)
            #expect(try await server.cli("DEL", Keys.cursor(bucket, client)) == "1")
            guard case .granted(_, _, let page) = try await store.claim(sampleClaim(client, "phone", 1)) else { return }
            #expect(page.messages.map(\.id) == [second, third])
        }
    }

    @Test func `counters and keys of pushes that are not ours are named errors`() async throws {
        try await with { store, server in
            let job = JobID(UUIDv7(unixMilliseconds: 1, random: (.random(in: .min ... .max), 1)))
            _ = try await server.cli("HSET", Keys.job(job), "acknowledged", "many")
            await #expect(throws: WindfireError.self) { _ = try await store.acknowledgedCounts([job]) }
            await #expect(throws: WindfireError.self) { try await store.countAcknowledged([job: 1]) }
        }
    }

    @Test func `Redis forgets an inbox by itself, soon when everything is acknowledged`() async throws {
        try await with { store, server in
            func remaining(_ key: String) async throws -> Int { Int(try await server.cli("PTTL", key)) ?? 0 }
            _ = try await store.claim(sampleClaim(client, "phone", 1))
            let result = await store.store(sampleMessage(1), for: [client], isRepeat: false)[0]
            guard case .stored(let id, _, _, _) = result else {
                Issue.record("stored, not \(result)")
                return
            }
            let (inbox, cursor) = (Keys.inbox(bucket, client), Keys.cursor(bucket, client))
            #expect((3_500_000...3_600_000).contains(try await remaining(inbox)))
            let fortnight = 14 * 24 * 3_600_000
            #expect((fortnight - 60_000...fortnight).contains(try await remaining(cursor)))
            _ = await store.acknowledge([
                Acknowledgement(client: client, device: DeviceID(unchecked: "phone"), upTo: id)
            ])
            #expect((540_000...600_000).contains(try await remaining(inbox)))
            _ = await store.store(sampleMessage(2), for: [client], isRepeat: false)
            #expect((3_500_000...3_600_000).contains(try await remaining(inbox)))
        }
    }
}
