import PushCore
import Testing

@testable import PushServer

struct DirectWaysTests {
    private func slot(_ place: Int, _ generation: UInt8 = 0) -> SubscriberSlot {
        SubscriberSlot(place: place, generation: generation)
    }

    @Test func aWayIsFoundUntilItIsClosed() {
        var ways = DirectWays()
        #expect(ways[slot(0)] == nil)
        ways.open(slot(2), .none, .json)
        #expect(ways[slot(2)]?.encoding == .json)
        #expect(ways[slot(0)] == nil && ways[slot(1)] == nil && ways[slot(3)] == nil)
        ways.close(slot(2))
        #expect(ways[slot(2)] == nil)
        ways.close(slot(9))
        ways.open(slot(2), .none, .echo)
        #expect(ways[slot(2)]?.encoding == .echo)
    }

    /// A run that began before a session ended does not find the next one in its place.
    @Test func aStaleSlotFindsNoWay() {
        var ways = DirectWays()
        ways.open(slot(5, 1), .none, .json)
        #expect(ways[slot(5, 0)] == nil && ways[slot(5, 2)] == nil)
        ways.close(slot(5, 1))
        ways.open(slot(5, 2), .none, .json)
        #expect(ways[slot(5, 1)] == nil)
        #expect(ways[slot(5, 2)] != nil)
    }

    @Test func aPlaceTakesEightBytes() { #expect(MemoryLayout<DirectWays.Way>.stride == 8) }
}
