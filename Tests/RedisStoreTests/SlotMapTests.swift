import Common
import Testing

@testable import RedisStore

@Suite struct SlotTests {
    /// Values of `CLUSTER KEYSLOT` (redis-cli).
    @Test func keysHashAsRedisDoes() {
        #expect(Slot(ofKey: "123456789").index == 0x31C3)
        #expect(Slot(ofKey: "foo").index == 12182)
        #expect(Slot(ofKey: "{user1000}.following") == Slot(ofKey: "user1000"))
        #expect(Slot(ofKey: "foo{}{bar}") != Slot(ofKey: "bar"))
        #expect(Slot(ofKey: "foo{{bar}}zap") == Slot(ofKey: "{bar"))
        #expect(Slot(ofKey: "foo{bar}{zap}") == Slot(ofKey: "bar"))
        #expect(Slot(ofKey: "") == Slot(exactly: 0))
        #expect(Slot(exactly: 16_384) == nil)
    }

    @Test func allKeysOfABucketAreInItsSlot() {
        let bucket = Bucket(77)
        let client = ClientID(unchecked: "{tricky}")
        let keys = [
            Keys.routes(bucket), Keys.epoch(bucket), Keys.generations(bucket),
            Keys.node(bucket, Incarnation(node: NodeID(unchecked: "n"), life: 1)),
            Keys.war(bucket, client, .default),
        ]
        for key in keys { #expect(Slot(ofKey: key) == Slot(of: bucket), "\(key)") }
        #expect(
            Keys.node(bucket, Incarnation(node: NodeID(unchecked: "n"), life: 1)) == "wf:{0077}:node:n@0000000000000001"
        )
        #expect(Keys.routes(bucket) == "wf:{0077}:routes")
    }
}

@Suite struct SlotMapTests {
    private let a = RedisAddress(host: "10.0.0.1", port: 7000)
    private let b = RedisAddress(host: "10.0.0.2", port: 7001)
    private let asked = RedisAddress(host: "10.0.0.9", port: 7009)

    private func range(_ first: Int64, _ last: Int64, _ host: RESPValue, _ port: Int64) -> RESPValue {
        .array([
            .integer(first), .integer(last), .array([host, .integer(port), .text("id"), .array([])]),
            .array([.text("10.0.0.7"), .integer(7007), .text("replica")]),
        ])
    }

    @Test func mastersAreTakenFromClusterSlots() throws {
        let map = try #require(
            SlotMap(
                clusterSlots: .array([
                    range(0, 100, .text("10.0.0.1"), 7000), range(101, 16_383, .text("10.0.0.2"), 7001),
                ]), asked: asked))
        #expect(map[Slot(exactly: 0)!] == a)
        #expect(map[Slot(exactly: 100)!] == a)
        #expect(map[Slot(exactly: 101)!] == b)
        #expect(map.masters == [a, b])
        #expect(map.coveredCount == Slot.count)
    }

    @Test func aNodeThatLeavesItsHostOutIsTheOneThatWasAsked() throws {
        for host in [RESPValue.null, .text(""), .text("?")] {
            let map = try #require(SlotMap(clusterSlots: .array([range(5, 5, host, 7000)]), asked: asked))
            #expect(map[Slot(exactly: 5)!] == RedisAddress(host: "10.0.0.9", port: 7000))
            #expect(map[Slot(exactly: 6)!] == nil)
        }
    }

    @Test func nonsenseIsLeftOut() {
        let nonsense: [RESPValue] = [
            .null, .array([]), .array([.integer(1), .integer(2)]), range(-1, 5, .text("h"), 1),
            range(9, 5, .text("h"), 1), range(0, 16_384, .text("h"), 1), range(0, 70_000, .text("h"), 1),
            range(0, 1, .text("h"), 0), range(0, 1, .text("h"), 65_536),
        ]
        #expect(SlotMap(clusterSlots: .array(nonsense), asked: asked)?.coveredCount == 0)
        #expect(SlotMap(clusterSlots: .integer(1), asked: asked) == nil)
    }

    @Test func oneSlotCanBeCorrected() {
        var map = SlotMap()
        map.set(Slot(exactly: 3)!, to: a)
        map.set(Slot(exactly: 4)!, to: b)
        map.set(Slot(exactly: 3)!, to: b)
        #expect(map[Slot(exactly: 3)!] == b)
        #expect(map.masters == [a, b])
    }
}

@Suite struct ReplyVerdictTests {
    static let cases: [(String, ReplyVerdict)] = [
        ("MOVED 3999 127.0.0.1:6381", .moved(Slot(exactly: 3999)!, RedisAddress(host: "127.0.0.1", port: 6381))),
        ("MOVED 3999 ::1:6381", .moved(Slot(exactly: 3999)!, RedisAddress(host: "::1", port: 6381))),
        ("ASK 1 h:2", .ask(RedisAddress(host: "h", port: 2))),
        ("MOVED 99999 h:1", .final), ("MOVED 1", .final), ("MOVED 1 h:99999", .final),
        ("TRYAGAIN Multiple keys request during rehashing of slot", .later(refresh: false)),
        ("CLUSTERDOWN Hash slot not served", .later(refresh: true)),
        ("LOADING Redis is loading the dataset in memory", .later(refresh: false)),
        ("MASTERDOWN Link with MASTER is down", .later(refresh: true)),
        ("NOSCRIPT No matching script. Please use EVAL.", .loadScript),
        ("READONLY You can't write against a read only replica.", .reconnect),
        ("NOPERM this user has no permissions", .failed(.refused("NOPERM this user has no permissions"))),
        ("ERR unknown command", .final), ("", .final),
    ]

    @Test(arguments: cases.indices)
    func errorsAreActedOnByTheirFirstWord(_ index: Int) {
        let (text, verdict) = Self.cases[index]
        #expect(ReplyVerdict(.success(.error(RedisReplyError(text)))) == verdict)
    }

    @Test func whatHasNoReplyIsSentAgainOnlyWhenTheConnectionDied() {
        #expect(ReplyVerdict(.failure(.connectionLost("x"))) == .later(refresh: true))
        for failure in [RedisFailure.timedOut, .overloaded, .shutDown, .unreachable("x"), .refused("x")] {
            #expect(ReplyVerdict(.failure(failure)) == .failed(failure))
        }
        #expect(ReplyVerdict(.success(.integer(1))) == .final)
    }
}
