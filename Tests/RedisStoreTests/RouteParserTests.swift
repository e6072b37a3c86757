import Common
import NIOCore
import Testing

@testable import RedisStore

@Suite struct RouteParserTests {
    private let session = String(repeating: "0123456789abcdef", count: 2)

    @Test func linesBecomeRoutes() throws {
        var parser = RouteParser()
        let value = "phone|n1@00000000000000ff|\(session)|1700000000000000\ndefault|n-2._@ffffffffffffffff|\(session)|7"
        let routes = parser.routes(ByteBuffer(string: value))
        let id = try SessionID(session)
        #expect(
            routes == [
                Route(
                    device: DeviceID(unchecked: "phone"), incarnation: try Incarnation("n1@00000000000000ff"),
                    session: id,
                    epoch: Epoch(1_700_000_000_000_000)),
                Route(
                    device: .default, incarnation: try Incarnation("n-2._@ffffffffffffffff"), session: id,
                    epoch: Epoch(7)),
            ])
        #expect(parser.corruptCount == 0)
    }

    @Test func nodesWithTheSameLifeAreNotMixedUp() throws {
        var parser = RouteParser()
        let lines = ["a", "bb", "a"].map { "d|\($0)@0000000000000001|\(session)|1" }.joined(separator: "\n")
        #expect(parser.routes(ByteBuffer(string: lines)).map(\.incarnation.node.text) == ["a", "bb", "a"])
    }

    @Test(arguments: [
        "x", "|||", "d|n@0000000000000001|SESSION|", "d|n@0000000000000001|SESSION|1x",
        "d|n@0000000000000001|SESSION|-1", "d|n@0000000000000001|SESSION|12345678901234567890",
        "d|n@000000000000001|SESSION|1", "d|@0000000000000001|SESSION|1", "d|n!@0000000000000001|SESSION|1",
        "|n@0000000000000001|SESSION|1", "d\u{7}|n@0000000000000001|SESSION|1", "d|n@000000000000000g|SESSION|1",
        "d|n@0000000000000001|SESSIONa|1", "d|n@0000000000000001|0123|1", "d|n@0000000000000001|SESSION|1|2",
    ])
    func whatIsNoRouteIsLeftOutAndCounted(_ line: String) {
        var parser = RouteParser()
        let good = "d|n@0000000000000001|\(session)|1"
        let bad = line.replacing("SESSION", with: session)
        #expect(parser.routes(ByteBuffer(string: "\(good)\n\(bad)\n\(good)")).count == 2)
        #expect(parser.corruptCount == 1)
    }

    @Test func bytesThatAreNotTextAreLeftOut() {
        var parser = RouteParser()
        var value = ByteBuffer(bytes: [0xFF])
        value.writeString("|n@0000000000000001|\(session)|1\n\n")
        #expect(parser.routes(value) == [])
        #expect(parser.corruptCount == 1)
        #expect(parser.routes(ByteBuffer()) == [])
    }
}

@Suite struct LocatePlanTests {
    @Test func everyClientIsAskedForOnceInItsBucket() {
        let clients = (0..<20_000).map { ClientID(unchecked: "client-\($0)") }
        let plan = LocatePlan(clients)
        #expect(plan.order.sorted() == Array(0..<20_000))
        #expect(plan.batches.map(\.range).flatMap(\.self) == Array(0..<20_000))
        for batch in plan.batches {
            #expect(plan.order[batch.range].allSatisfy { Bucket(of: clients[Int($0)]) == batch.bucket })
            #expect(plan.order[batch.range].elementsEqual(plan.order[batch.range].sorted()))
        }
        #expect(plan.turns().flatMap(\.self) == Array(plan.batches.indices))
        #expect(plan.turns().allSatisfy { turn in plan.batches[turn].reduce(0) { $0 + $1.range.count } <= 8_000 })
    }

    @Test func oneBucketIsCut() {
        let plan = LocatePlan(Array(repeating: ClientID(unchecked: "a"), count: 1_001))
        #expect(plan.batches.map(\.range) == [0..<500, 500..<1000, 1000..<1001])
        #expect(LocatePlan([]).turns() == [])
    }
}
