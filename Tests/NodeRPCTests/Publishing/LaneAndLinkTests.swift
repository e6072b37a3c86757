import Common
import Testing

@testable import NodeRPC

/// The queues of a publisher, by values.
@Suite struct LaneAndLinkTests {
    private func pending(_ number: Int, bytes: Int = 1) -> PendingPublish<Int> {
        PendingPublish(target: .topic(topic("t")), message: message("m\(number)", bytes: bytes), ticket: number)
    }

    private func item(_ number: Int, bytes: Int = 1) -> NodeLink<Int>.Item {
        NodeLink.Item(
            publication: Publication(to: .topic(topic("t")), message("m\(number)", bytes: bytes)), ticket: number)
    }

    // A lane.

    @Test func whatComesDuringALookUpIsAskedForTogetherAfterIt() {
        var lane = TopicLane<Int>()
        lane.add(pending(1))
        #expect(lane.beginLookup()?.map(\.ticket) == [1])
        lane.add(pending(2))
        lane.add(pending(3))
        #expect(lane.beginLookup() == nil)
        #expect(lane.endLookup().map(\.ticket) == [1])
        #expect(lane.beginLookup()?.map(\.ticket) == [2, 3])
        #expect(lane.endLookup().map(\.ticket) == [2, 3])
        #expect(lane.beginLookup() == nil)
    }

    @Test func aLaneIsIdleWhenAllIsSettledAndNotBefore() {
        var lane = TopicLane<Int>()
        lane.add(pending(1))
        lane.add(pending(2))
        _ = lane.beginLookup()
        _ = lane.endLookup()
        lane.settled()
        #expect(!lane.isIdle)
        lane.settled()
        #expect(lane.isIdle)
    }

    @Test func aLookUpTakesAsManyAsOneCallToANode() {
        var lane = TopicLane<Int>()
        for number in 0..<(PublishBatch.publicationsMax + 1) { lane.add(pending(number)) }
        #expect(lane.beginLookup()?.count == PublishBatch.publicationsMax)
        _ = lane.endLookup()
        #expect(lane.beginLookup()?.map(\.ticket) == [PublishBatch.publicationsMax])
    }

    @Test(arguments: [
        ([PublishBatch.bytesMax, 1], 1), ([PublishBatch.bytesMax - 1, 1], 2), ([PublishBatch.bytesMax + 1, 1], 1),
        ([1, PublishBatch.bytesMax], 1), ([], 0),
    ])
    func aBatchEndsAtItsBytesButTakesOneOfAnySize(_ sizes: [Int], _ count: Int) {
        #expect(PublishBatch.fitting(sizes) { $0 } == count)
    }

    // A link.

    @Test func callsAreNumberedFromOneAndTwoAreUnderWay() {
        var link = NodeLink<Int>(to: member("n1"))
        var drawn: UInt64 = 40
        let draw: () -> UInt64 = {
            drawn += 1
            return drawn
        }
        #expect(link.add(item(1)) == true)
        let first = link.nextCall(drawing: draw)
        #expect(first?.batch.link == 41)
        #expect(first?.batch.number == 1)
        #expect(link.add(item(2)) == true)
        #expect(link.nextCall(drawing: draw)?.batch.number == 2)
        #expect(link.add(item(3)) == true)
        #expect(link.add(item(4)) == true)
        #expect(link.nextCall(drawing: draw) == nil)
        link.answered()
        let third = link.nextCall(drawing: draw)
        #expect(third?.batch.link == 41)
        #expect(third?.batch.number == 3)
        #expect(third?.tickets == [3, 4])
        #expect(!link.isIdle)
        link.answered()
        link.answered()
        #expect(link.isIdle)
        #expect(drawn == 41)
    }

    @Test func afterAFailureTheLinkIsAnewOneOnceTheOldOnesCallsHaveEnded() {
        var link = NodeLink<Int>(to: member("n1"))
        var drawn: UInt64 = 0
        let draw: () -> UInt64 = {
            drawn += 1
            return drawn
        }
        for number in 1...2 {
            #expect(link.add(item(number)) == true)
            _ = link.nextCall(drawing: draw)
        }
        #expect(link.add(item(3)) == true)
        #expect(link.failed(.nodeUnavailable) == [])
        // The second call may be held at the node until the first is given up; nothing overtakes it.
        #expect(link.nextCall(drawing: draw) == nil)
        link.answered()
        let next = link.nextCall(drawing: draw)
        #expect(next?.batch.link == 2)
        #expect(next?.batch.number == 1)
        #expect(next?.tickets == [3])
    }

    @Test func anotherLifeOfTheNodeLeavesNoHole() {
        var link = NodeLink<Int>(to: member("n1"))
        #expect(link.add(item(1)) == true)
        _ = link.nextCall { 5 }
        #expect(link.failed(.notFound) == [])
        #expect(link.add(item(2)) == true)
        let next = link.nextCall { 6 }
        #expect(next?.batch.link == 5)
        #expect(next?.batch.number == 2)
    }

    @Test func aSuspectNodeGetsOneCallAndLittleWaitsForItUntilItAnswers() {
        var bounds = NodeLink<Int>.Bounds()
        bounds.waitingWhileSuspectMax = 2
        var link = NodeLink<Int>(to: member("n1"), bounds: bounds)
        #expect(link.add(item(1)) == true)
        _ = link.nextCall { 1 }
        #expect(link.add(item(2)) == true)
        _ = link.nextCall { 1 }
        for number in 3...6 { #expect(link.add(item(number)) == true) }
        // The newest give way, in their order.
        #expect(link.failed(.nodeUnavailable) == [5, 6])
        #expect(link.add(item(7)) == false)
        #expect(link.failed(.nodeUnavailable) == [])
        #expect(link.nextCall { 2 }?.tickets == [3, 4])
        #expect(link.add(item(8)) == true)
        #expect(link.nextCall { 2 } == nil)
        link.answered()
        #expect(link.nextCall { 2 }?.tickets == [8])
        for number in 9...11 { #expect(link.add(item(number)) == true) }
        #expect(link.nextCall { 2 }?.tickets == [9, 10, 11])
    }

    @Test func aLinkIsBoundedInMessagesAndBytes() {
        var bounds = NodeLink<Int>.Bounds()
        bounds.waitingMax = 2
        bounds.waitingBytesMax = 1_000
        var link = NodeLink<Int>(to: member("n1"), bounds: bounds)
        #expect(link.add(item(1)) == true)
        #expect(link.add(item(2)) == true)
        #expect(link.add(item(3)) == false)
        _ = link.nextCall { 1 }
        #expect(link.waitingCount == 0)
        // One of any size, then none beyond the bytes.
        #expect(link.add(item(4, bytes: 2_000)) == true)
        #expect(link.add(item(5)) == false)
        _ = link.nextCall { 1 }
        #expect(link.add(item(6)) == true)
    }

    // Rates.

    private func load(_ name: String, online: Int, life: UInt64 = 1) -> NodeLoad {
        NodeLoad(incarnation: incarnation(name, life: life), online: online, cpu: 0, loopLagMilliseconds: 0, at: 0)
    }

    @Test func aRateIsDividedByTheSharesOfTheSessions() {
        let members = [member("n1"), member("n2"), member("n3")]
        let two = [load("n1", online: 300), load("n2", online: 100)]
        let loads = Dictionary(uniqueKeysWithValues: two.map { ($0.incarnation.node, $0) })
        // The third has said nothing: as many as the others on average.
        #expect(EveryoneRate.shares(600, among: members, loads: loads) == [300, 100, 200])
        #expect(EveryoneRate.shares(1, among: members, loads: loads) == [1, 1, 1])
        #expect(EveryoneRate.shares(90, among: members, loads: [:]) == [30, 30, 30])
    }

    @Test func aRateIsDividedEquallyWhenNobodyIsOnlineAndOldLivesDoNotCount() {
        let members = [member("n1"), member("n2")]
        let none = ["n1", "n2"].map { load($0, online: 0) }
        #expect(
            EveryoneRate.shares(
                10, among: members, loads: Dictionary(uniqueKeysWithValues: none.map { ($0.incarnation.node, $0) }))
                == [5, 5])
        let old = load("n1", online: 1_000, life: 9)
        #expect(EveryoneRate.shares(10, among: members, loads: [old.incarnation.node: old]) == [5, 5])
    }
}
