import Common
import TestKit
import Testing

@testable import RedisStore

/// Topic stores on one Redis.
private actor RedisTopicHarness: TopicHarness {
    private let stores: StoreHarness
    private let wipeAll: @Sendable ([Topic]) async throws -> Void

    init(_ stores: StoreHarness, wipe: @escaping @Sendable ([Topic]) async throws -> Void) {
        self.stores = stores
        wipeAll = wipe
    }

    func makeTopicStore() async throws -> any TopicStore { try await stores.open() }

    func letPass(_ time: Duration) async throws {
        let end = ContinuousClock.now + time
        try await eventually("the time has passed", poll: .milliseconds(5)) { ContinuousClock.now > end }
    }

    func wipe(_ topics: [Topic]) async throws { try await wipeAll(topics) }
}

private let history = Result { try TopicRule.History() }

private func message(_ number: Int) -> TopicMessage {
    let id = UUIDv7(
        unixMilliseconds: WallClock.milliseconds(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
    return TopicMessage(
        id: MessageID(unchecked: id.description), timestampMilliseconds: 1, data: Array("\(number)".utf8))
}

/// A server of its own, because patterns belong to the whole server.
@Suite(.serialized) struct RedisTopicTests {
    private static let server = Task { try await RedisServer() }

    @Test(arguments: TopicStoreContract.all)
    func contract(_ promise: TopicStoreContract) async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { stores in
            try await promise.check(
                RedisTopicHarness(stores) { _ in
                    let answer = try await server.cli("FLUSHALL")
                    #expect(answer == "OK")
                })
        }
    }

    @Test func `a publish is one command when it is kept, and two cheap ones when it is not`() async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let topic = Topic(unchecked: "cost/\(UInt64.random(in: .min ... .max).hex16)")
            // Loads the scripts.
            _ = try await store.publish([message(0)], to: topic, keeping: try history.get())
            _ = try await store.history(of: topic, after: 0, countMax: 1, keeping: try history.get())
            func commands(_ body: () async throws -> Void) async throws -> Int {
                let before = store.client.commandsSent
                try await body()
                return store.client.commandsSent - before
            }
            let many = (0..<100).map(message)
            #expect(try await commands { _ = try await store.publish(many, to: topic, keeping: history.get()) } == 1)
            let calls = try await store.commandCounts()
            #expect(try await commands { _ = try await store.publish(many, to: topic, keeping: nil) } == 2)
            #expect(try await store.commandCounts()["evalsha"] == calls["evalsha"])
            #expect(
                try await commands {
                    _ = try await store.history(of: topic, after: 0, countMax: 100, keeping: history.get())
                } == 1)
        }
    }

    @Test func `a history lives on Redis as long as its messages may, and the counting a week longer`() async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let topic = Topic(unchecked: "ttl/\(UInt64.random(in: .min ... .max).hex16)")
            let rule = try TopicRule.History(countMax: 10, ageMax: .seconds(100))
            for number in 0..<30 { _ = try await store.publish([message(number)], to: topic, keeping: rule) }
            #expect(try await server.cli("XLEN", Keys.history(topic)) == "10")
            let stream = try #require(Int(try await server.cli("PTTL", Keys.history(topic))))
            #expect((100_000...103_000).contains(stream))
            let counting = try #require(Int(try await server.cli("PTTL", Keys.counting(topic))))
            #expect(counting > 7 * 24 * 3_600_000 && counting <= 7 * 24 * 3_600_000 + 100_000)

            // Old entries are trimmed a thousand at a time.
            let old = Topic(unchecked: "old/\(UInt64.random(in: .min ... .max).hex16)")
            let short = try TopicRule.History(countMax: 10_000, ageMax: .seconds(1))
            _ = try await store.publish((0..<2_500).map(message), to: old, keeping: short)
            let end = ContinuousClock.now + .milliseconds(1_050)
            try await eventually("they are old") { ContinuousClock.now > end }
            var lengths: [String] = []
            for number in 0..<4 {
                _ = try await store.publish([message(number)], to: old, keeping: short)
                lengths.append(try await server.cli("XLEN", Keys.history(old)))
            }
            #expect(lengths == ["1501", "502", "3", "4"])
        }
    }

    @Test func `a history without its counting, or ahead of it, begins another one`() async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let topic = Topic(unchecked: "lost/\(UInt64.random(in: .min ... .max).hex16)")
            let rule = try history.get()
            let first = try await store.publish([message(1), message(2)], to: topic, keeping: rule).positions
            #expect(try await server.cli("DEL", Keys.counting(topic)) == "1")
            #expect(try await store.history(of: topic, after: 0, countMax: 9, keeping: rule).epoch == 0)
            let second = try await store.publish([message(3)], to: topic, keeping: rule).positions
            #expect(second[0].offset == 1 && second[0].epoch > first[0].epoch)
            #expect(try await store.history(of: topic, after: 0, countMax: 9, keeping: rule).entries.count == 1)

            _ = try await server.cli("XADD", Keys.history(topic), "77-0", "x", "y")
            let third = try await store.publish([message(4)], to: topic, keeping: rule).positions
            #expect(third[0].offset == 1 && third[0].epoch > second[0].epoch)
            #expect(try await store.history(of: topic, after: 0, countMax: 9, keeping: rule).head == 1)
        }
    }

    @Test func `foreign values under our keys are left out or named`() async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let topic = Topic(unchecked: "foreign/\(UInt64.random(in: .min ... .max).hex16)")
            let rule = try history.get()
            _ = await store.announce(
                [
                    TopicPresenceChange(TopicPattern(topic), isPresent: true),
                    TopicPresenceChange(TopicPattern(unchecked: "a/+"), isPresent: true),
                ], of: sampleIncarnation)
            _ = try await server.cli("SADD", Keys.topic(topic), "garbage")
            _ = try await server.cli("HSET", Keys.patterns, "garbage", "1", "\(sampleIncarnation)|a#", "1")
            _ = try await store.publish([message(1)], to: topic, keeping: rule)
            _ = try await server.cli("XADD", Keys.history(topic), "2-0", "a", "9999999999999", "x", "y")
            _ = try await server.cli("HSET", Keys.counting(topic), "last", "2")
            #expect(try await store.publish([], to: topic, keeping: nil).nodes == [sampleIncarnation])
            #expect(try await store.announcedPatterns().rows.map(\.pattern.text) == ["a/+"])
            let page = try await store.history(of: topic, after: 0, countMax: 9, keeping: rule)
            #expect(page.entries.map(\.offset) == [1] && page.head == 2)
            // The member in both publishes, two rows, one entry.
            #expect(store.corruptRoutes == 5)

            for key in [Keys.history(topic), Keys.counting(topic), Keys.topic(topic)] {
                _ = try await server.cli("DEL", key)
                _ = try await server.cli("SET", key, "foreign")
                let error = await #expect(throws: WindfireError.self) {
                    try await store.publish([message(1)], to: topic, keeping: rule)
                }
                #expect(error?.code == .routesUnavailable, "\(key)")
                // One fails, the others do not.
                let results = await store.announce(
                    [TopicPattern(topic), TopicPattern(unchecked: "b"), TopicPattern(unchecked: "b/+")].map {
                        TopicPresenceChange($0, isPresent: true)
                    }, of: sampleIncarnation)
                let isTopic = key == Keys.topic(topic)
                #expect(results.map { (try? $0.get()) != nil } == [!isTopic, true, true])
                _ = try await server.cli("DEL", key)
            }
            try await store.forget([sampleIncarnation], in: nil)
            _ = try await server.cli("DEL", Keys.patterns)
        }
    }

    @Test func `without Redis everything is unavailable`() async throws {
        let port = try FreePorts.one()
        let (topic, rule) = (Topic(unchecked: "a"), try history.get())
        try await withStores(at: "redis://127.0.0.1:\(port)", { $0.commandTimeout = .milliseconds(100) }) { harness in
            let store = try await harness.open()
            func isUnavailable(_ body: () async throws -> Void) async {
                let error = await #expect(throws: WindfireError.self) { try await body() }
                #expect(error?.code == .routesUnavailable)
            }
            await isUnavailable { _ = try await store.publish([message(1)], to: topic, keeping: nil) }
            await isUnavailable { _ = try await store.publish([message(1)], to: topic, keeping: rule) }
            await isUnavailable { _ = try await store.announcedPatterns() }
            await isUnavailable { try await store.forget([sampleIncarnation], in: topic) }
            await isUnavailable { try await store.forget([sampleIncarnation], in: nil) }
            await isUnavailable { _ = try await store.history(of: topic, after: 1, countMax: 9, keeping: rule) }
            let changes = ["a", "a/+", "b"].map { TopicPresenceChange(TopicPattern(unchecked: $0), isPresent: true) }
            let results = await store.announce(changes, of: sampleIncarnation)
            #expect(results.count == 3)
            for result in results { await isUnavailable { try result.get() } }
        }
    }

    @Test func `a call that is sent again finds what it has appended, and appends what it has not`() async throws {
        let server = try await Self.server.value
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            let topic = Topic(unchecked: "again/\(UInt64.random(in: .min ... .max).hex16)")
            let rule = try TopicRule.History(countMax: 40)
            func sendAgain(_ messages: [TopicMessage]) async throws -> [UInt64] {
                let reply = try await store.ask(store.publishCommand(messages, topic, rule, isRepeat: true))
                var parser = TopicParser()
                return parser.reach(reply, count: messages.count)?.positions.map(\.offset) ?? []
            }
            let (early, late) = ((0..<50).map(message), (50..<53).map(message))
            #expect(try await sendAgain(early) == Array(1...50))
            #expect(try await sendAgain(early) == Array(1...50))
            #expect(try await sendAgain(late) == [51, 52, 53])
            // Behind others, and with its first messages trimmed.
            #expect(try await sendAgain(early) == Array(1...50))
            let page = try await store.history(of: topic, after: 0, countMax: 99, keeping: rule)
            #expect(page.entries.map(\.element) == Array((early + late).suffix(40)) && page.head == 53)
        }
    }

    /// The call that died may have appended its messages: it is sent again as a repeat.
    @Test func `connections that die during publishes leave each message once and in order`() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url, { ($0.retryWindow, $0.commandTimeout) = (.seconds(20), .seconds(20)) }) {
            harness in
            let store = try await harness.open()
            let (topic, rule) = (Topic(unchecked: "a"), try TopicRule.History(countMax: 100_000))
            let publishing = Load()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // In the midst of every few publishes, so that each has its chance to come through.
                    var next = 0
                    while !publishing.isStopped {
                        guard publishing.rounds >= next else {
                            await Task.yield()
                            continue
                        }
                        next = publishing.rounds + 3
                        _ = try await server.cli("CLIENT", "KILL", "TYPE", "normal")
                    }
                }
                defer { publishing.stop() }
                var (number, positions): (Int, [HistoryPosition]) = (0, [])
                while number < 600 {
                    let messages = (number..<number + 3).map(message)
                    positions += try await store.publish(messages, to: topic, keeping: rule).positions
                    number += 3
                    publishing.finishedRound()
                }
                publishing.stop()
                try await group.waitForAll()
                #expect(positions.map(\.offset) == Array(1...UInt64(number)))
                var (seen, after): ([String], UInt64) = ([], 0)
                while true {
                    let page = try await store.history(of: topic, after: after, countMax: 500, keeping: rule)
                    seen += page.entries.map { String(decoding: $0.element.data, as: UTF8.self) }
                    guard page.isMore, let last = page.entries.last else { break }
                    after = last.offset
                }
                #expect(seen == (0..<number).map(String.init))
            }
        }
    }
}

/// The same on a Cluster of six: what one call touches is in one slot, and the version is in another.
@Suite(.serialized) struct RedisClusterTopicTests {
    @Test(arguments: TopicStoreContract.all)
    func contract(_ promise: TopicStoreContract) async throws {
        let cluster = try await SharedServers.cluster()
        try await withStores(at: cluster.url) { stores in
            try await promise.check(
                RedisTopicHarness(stores) { topics in
                    let keys = topics.flatMap { [Keys.topic($0), Keys.history($0), Keys.counting($0)] }
                    for key in keys + [Keys.patterns, Keys.patternsVersion] {
                        let master = try await cluster.master(of: Int(Slot(ofKey: key).index))
                        let answer = try await master.cli("DEL", key)
                        #expect(Int(answer) != nil)
                    }
                })
        }
    }

    @Test func `all keys of a topic are in one slot, and those of the patterns in another`() {
        for text in ["a", "{", "}{", "{x}/{y}", "caf\u{E9}", "cafe\u{301}"] {
            let topic = Topic(unchecked: text)
            let keys = [Keys.topic(topic), Keys.history(topic), Keys.counting(topic)]
            #expect(Set(keys.map(Slot.init(ofKey:))) == [Slot(of: Bucket(of: topic))], "\(text)")
            #expect(Bucket(of: topic).index == CRC16.xmodem(text.utf8) % 1024)
        }
        #expect(Slot(ofKey: Keys.patterns) == Slot(ofKey: Keys.patternsVersion))
    }
}
