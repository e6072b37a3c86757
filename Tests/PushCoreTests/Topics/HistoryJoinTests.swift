import Common
import NIOCore
import PushCore
import Testing

/// Messages are their own offsets here.
struct HistoryJoinTests {
    private typealias Join = HistoryJoin<UInt64>
    private let now = NIODeadline.uptimeNanoseconds(7_000_000_000)

    private func at(_ offset: UInt64, epoch: UInt64 = 9) -> HistoryPosition {
        HistoryPosition(epoch: epoch, offset: offset)
    }

    /// A page with these offsets, as the store would give it.
    private func page(
        _ offsets: ClosedRange<UInt64>? = nil, first: UInt64 = 1, head: UInt64, epoch: UInt64 = 9, isMore: Bool = false
    ) -> HistoryPage<UInt64> {
        let entries = offsets.map { $0.map { HistoryPage<UInt64>.Entry(offset: $0, element: $0) } } ?? []
        return HistoryPage(epoch: epoch, first: first, head: head, entries: entries, isMore: isMore)
    }

    private func step(gap: HistoryGap? = nil, _ send: ClosedRange<UInt64>? = nil, read: HistoryPosition? = nil)
        -> Join.Step
    {
        var step = Join.Step()
        step.gap = gap
        step.send = send.map { Array($0) } ?? []
        step.read = read
        return step
    }

    @Test func replaysExactlyWhatWasMissed() {
        var join = Join(since: at(5))
        #expect(join.position == at(5), "what to read first")
        #expect(join.received(page(6...8, head: 8), now: now) == step(6...8))
        #expect(!join.isReading)
        #expect(join.live(9, at: at(9)) == .send)
        #expect(!join.isOver(now: now + .milliseconds(9_999)))
        #expect(join.isOver(now: now + .seconds(10)))
    }

    @Test func whoMissedNothingGetsNothing() {
        var join = Join(since: at(8))
        #expect(join.received(page(head: 8), now: now) == step())
        #expect(join.live(8, at: at(8)) == .duplicate)
        #expect(join.live(9, at: at(9)) == .send)
    }

    @Test func anEmptyTopicHasNothingToMiss() {
        var join = Join(since: at(0))
        #expect(join.received(page(head: 0), now: now) == step())
        #expect(join.live(1, at: at(1)) == .send)
    }

    @Test func readsPageByPage() {
        var join = Join(since: at(0))
        #expect(join.received(page(1...3, head: 7, isMore: true), now: now) == step(1...3, read: at(3)))
        #expect(join.received(page(4...6, head: 7, isMore: true), now: now) == step(4...6, read: at(6)))
        #expect(join.isReading)
        #expect(join.received(page(7...7, head: 7), now: now) == step(7...7))
        #expect(!join.isReading)
    }

    @Test func whatComesLiveMeanwhileGoesOutInItsTurn() {
        var join = Join(since: at(5))
        #expect(join.live(8, at: at(8)) == .held)
        #expect(join.live(7, at: at(7)) == .held)
        #expect(join.live(8, at: at(8)) == .duplicate)
        #expect(join.live(9, at: at(9)) == .held)
        #expect(join.received(page(6...7, head: 7), now: now) == step(6...9))
        #expect(join.live(9, at: at(9)) == .duplicate)
    }

    /// The page was read before 8 was stored, and 9 overtook it: 8 is fetched, not waited for.
    @Test func aHoleBeforeWhatCameLiveIsRead() {
        var join = Join(since: at(5))
        _ = join.live(9, at: at(9))
        #expect(join.received(page(6...7, head: 7), now: now) == step(6...7, read: at(7)))
        #expect(join.received(page(8...9, head: 9), now: now) == step(8...9))
        #expect(join.live(8, at: at(8)) == .duplicate)
    }

    @Test func aLiveMessageMayComeLaterThanThePageThatHadIt() {
        var join = Join(since: at(5))
        #expect(join.received(page(6...8, head: 8), now: now) == step(6...8))
        #expect(join.live(7, at: at(7)) == .duplicate)
        #expect(join.live(9, at: at(9)) == .send)
        #expect(join.live(8, at: at(8)) == .duplicate)
    }

    @Test func whatIsNotKeptAnyMoreIsAGap() {
        var join = Join(since: at(5))
        #expect(
            join.received(page(11...12, first: 11, head: 12), now: now)
                == step(gap: HistoryGap(reason: .trimmed, missed: 5), 11...12))
    }

    @Test func ifNothingIsKeptAllOfItIsAGap() {
        var join = Join(since: at(5))
        #expect(
            join.received(page(first: 13, head: 12), now: now)
                == step(gap: HistoryGap(reason: .trimmed, missed: 7)))
        #expect(join.live(13, at: at(13)) == .send)
    }

    @Test func anotherEpochIsAGapAndAllOfTheNewOne() {
        var join = Join(since: at(500, epoch: 8))
        #expect(
            join.received(page(head: 4), now: now)
                == step(gap: HistoryGap(reason: .otherEpoch, missed: 0), read: at(0)))
        #expect(join.received(page(1...4, head: 4), now: now) == step(1...4))
    }

    @Test func anotherEpochWhoseBeginningIsNotKept() {
        var join = Join(since: at(500, epoch: 12))
        #expect(
            join.received(page(first: 3, head: 4), now: now)
                == step(gap: HistoryGap(reason: .otherEpoch, missed: 2), read: at(2)))
        #expect(join.received(page(3...4, first: 3, head: 4), now: now) == step(3...4))
    }

    @Test func anotherEpochWithNothingInIt() {
        var join = Join(since: at(500, epoch: 8))
        #expect(join.received(page(head: 0), now: now) == step(gap: HistoryGap(reason: .otherEpoch, missed: 0)))
        #expect(join.live(1, at: at(1)) == .send)
        #expect(join.live(501, at: at(501, epoch: 8)) == .duplicate, "of a counting that has ended")
    }

    @Test(arguments: [13, UInt64.max])
    func aPlaceInTheFutureIsAGapAndTheLiveFlowGoesOn(_ offset: UInt64) {
        var join = Join(since: at(offset))
        _ = join.live(13, at: at(13))
        #expect(
            join.received(page(head: 12), now: now)
                == step(gap: HistoryGap(reason: .fromTheFuture, missed: 0), 13...13))
        #expect(join.live(14, at: at(14)) == .send)
    }

    @Test func theStoreIsWipedWhileItIsRead() {
        var join = Join(since: at(5))
        _ = join.live(1, at: at(1, epoch: 10))
        #expect(join.received(page(6...8, head: 8), now: now) == step(6...8, read: at(8)))
        _ = join.live(2, at: at(2, epoch: 10))
        #expect(
            join.received(page(head: 1, epoch: 10), now: now)
                == step(gap: HistoryGap(reason: .otherEpoch, missed: 0), read: at(0, epoch: 10)))
        #expect(join.received(page(1...2, head: 2, epoch: 10), now: now) == step(1...2))
        #expect(join.live(3, at: at(3, epoch: 10)) == .send)
    }

    @Test func holdsOnlySoMuchAndReadsTheRest() {
        var rules = Join.Rules()
        rules.heldMax = 2
        var join = Join(since: at(0), rules: rules)
        for offset in 2...6 as ClosedRange<UInt64> { #expect(join.live(offset, at: at(offset)) == .held) }
        #expect(join.received(page(1...1, head: 1), now: now) == step(1...1, read: at(1)))
        #expect(join.received(page(2...4, head: 6, isMore: true), now: now) == step(2...4, read: at(4)))
        #expect(join.live(7, at: at(7)) == .held)
        #expect(join.received(page(5...6, head: 6), now: now) == step(5...7))
    }

    @Test func aTopicThatGrowsFasterThanItIsReadIsAGap() {
        var rules = Join.Rules()
        rules.readsMax = 2
        var join = Join(since: at(0), rules: rules)
        #expect(join.received(page(1...2, head: 50, isMore: true), now: now) == step(1...2, read: at(2)))
        _ = join.live(98, at: at(98))
        _ = join.live(100, at: at(100))
        var expected = step(gap: HistoryGap(reason: .tooFast, missed: 94), 3...4)
        expected.send += [98, 100]
        #expect(join.received(page(3...4, head: 90, isMore: true), now: now) == expected)
        #expect(join.live(101, at: at(101)) == .send)
        #expect(join.live(99, at: at(99)) == .duplicate, "it was told as missed")
    }

    /// A replica that was set back: the store is not asked for ever for what it does not have.
    @Test func aStoreWithoutWhatCameLiveIsAGap() {
        var join = Join(since: at(5))
        _ = join.live(9, at: at(9))
        #expect(join.received(page(6...6, head: 6), now: now) == step(6...6, read: at(6)))
        var expected = step(gap: HistoryGap(reason: .storeIsOlder, missed: 2))
        expected.send = [9]
        #expect(join.received(page(head: 6), now: now) == expected)
        #expect(join.live(10, at: at(10)) == .send)
    }

    @Test func aPageThatNobodyAskedForChangesNothing() {
        var join = Join(since: at(5))
        _ = join.received(page(6...8, head: 8), now: now)
        #expect(join.received(page(6...9, head: 9), now: now) == step())
        #expect(join.live(9, at: at(9)) == .send)
    }
}
