import Common
import Foundation
import Testing

@testable import NodeRPC

@Suite struct ValueTests {
    @Test func sessionsKeepTheirBytesOnTheWire() throws {
        let session = try SessionID("000102030405060708090a0b0c0d0e0f")
        #expect(Array(PackedSessions.pack([session])) == Array(0...15))
        #expect(PackedSessions.unpack(Data(0...15)) == [session])
        #expect(PackedSessions.unpack(Data()) == [])
        #expect(PackedSessions.unpack(Data(0...14)) == nil)
        #expect(PackedSessions.unpack(Data(0...16)) == nil)
        // A slice whose indices do not start at 0.
        #expect(PackedSessions.unpack(Data(0...18)[3...])?.first?.shard == 3)
    }

    // The connection table; connections are strings, time is a number of seconds.

    private let start = ContinuousClock.now

    private func incarnation(_ life: UInt64) throws -> Incarnation {
        Incarnation(node: try NodeID("n\(life)"), life: life)
    }

    @Test func aConnectionIsUsedAgainUntilItsEndpointChanges() throws {
        var table = NodeConnectionTable<String>(idleMax: .seconds(60), countMax: 10)
        #expect(try table.use(incarnation(1), at: "a:1", now: start) { "first" }.shown == "first")
        #expect(try table.use(incarnation(1), at: "a:1", now: start) { "second" }.shown == "first")
        #expect(try table.use(incarnation(1), at: "b:1", now: start) { "third" }.shown == "third, closing first")
        #expect(table.count == 1)
    }

    @Test func unusedConnectionsAreGivenUp() throws {
        var table = NodeConnectionTable<String>(idleMax: .seconds(60), countMax: 10)
        _ = try table.use(incarnation(1), at: "a:1", now: start) { "old" }
        _ = try table.use(incarnation(2), at: "a:2", now: start) { "busy" }
        _ = try table.use(incarnation(2), at: "a:2", now: start + .seconds(30)) { "other" }
        #expect(table.sweep(now: start + .seconds(59)) == [])
        #expect(table.sweep(now: start + .seconds(60)) == ["old"])
        #expect(table.sweep(now: start + .seconds(61)) == [])
        #expect(table.sweep(now: start + .seconds(90)) == ["busy"])
    }

    @Test func beyondTheBoundTheLongestUnusedGivesWay() throws {
        var table = NodeConnectionTable<String>(idleMax: .seconds(60), countMax: 2)
        _ = try table.use(incarnation(1), at: "a:1", now: start) { "one" }
        _ = try table.use(incarnation(2), at: "a:2", now: start + .seconds(1)) { "two" }
        _ = try table.use(incarnation(1), at: "a:1", now: start + .seconds(2)) { "never" }
        #expect(
            try table.use(incarnation(3), at: "a:3", now: start + .seconds(3)) { "three" }.shown
                == "three, closing two")
        #expect(table.count == 2)
    }

    @Test func aClosedTableRefuses() throws {
        var table = NodeConnectionTable<String>(idleMax: .seconds(60), countMax: 2)
        _ = try table.use(incarnation(1), at: "a:1", now: start) { "one" }
        #expect(table.close() == ["one"])
        #expect(try table.use(incarnation(1), at: "a:1", now: start) { "two" }.shown == "refused")
        #expect(table.close() == [])
    }
}

extension NodeConnectionTable<String>.Use {
    fileprivate var shown: String {
        switch self {
        case .use(let connection, nil): connection
        case .use(let connection, let displaced?): "\(connection), closing \(displaced)"
        case .refused: "refused"
        }
    }
}
