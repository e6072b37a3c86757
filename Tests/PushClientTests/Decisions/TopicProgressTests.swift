import Common
import Testing

@testable import PushClient

@Suite struct TopicProgressTests {
    private func place(_ offset: UInt64, epoch: UInt64 = 7) -> HistoryPosition {
        HistoryPosition(epoch: epoch, offset: offset)
    }

    private func progress(at offset: UInt64) -> Held {
        let progress = Held()
        progress.begin(at: place(offset))
        return progress
    }

    @Test func `the first place that is heard of is the beginning, whoever tells it`() {
        let progress = Held()
        #expect(progress.position == nil)
        #expect(!progress.received(place(41)))
        progress.begin(at: place(45))
        #expect(progress.position == place(41))
        let told = Held()
        told.begin(at: place(45))
        told.begin(at: place(50))
        #expect(told.position == place(45))
    }

    @Test func `it goes on message by message, and waits at a hole until that is filled`() {
        let progress = progress(at: 5)
        #expect(!progress.received(place(6)))
        #expect(progress.position == place(6))
        #expect(!progress.received(place(8)))
        #expect(!progress.received(place(9)))
        #expect(progress.position == place(6))
        #expect(progress.received(place(8)))
        #expect(!progress.received(place(7)))
        #expect(progress.position == place(9))
    }

    @Test func `a hole behind which very much has come is given up`() {
        let progress = progress(at: 5)
        let last = 6 + UInt64(TopicProgress.aheadMax)
        for offset in 7...last { #expect(!progress.received(place(offset))) }
        #expect(progress.position == place(5))
        #expect(!progress.received(place(last + 1)))
        #expect(progress.position == place(last + 1))
    }

    @Test func `a hole that was told is no hole`() {
        let progress = progress(at: 10)
        #expect(progress.missed(12, "trimmed") == 12)
        #expect(!progress.received(place(23)))
        #expect(progress.position == place(23))
        // What was told is used up.
        #expect(!progress.received(place(25)))
        #expect(progress.position == place(23))
    }

    @Test func `what was told and comes in two holes closes both`() {
        let progress = progress(at: 10)
        #expect(progress.missed(5, "trimmed") == 5)
        for offset in [11, 12, 15, 16, 20] as [UInt64] { #expect(!progress.received(place(offset))) }
        #expect(progress.position == place(20))
    }

    @Test func `what is told on each connection anew counts once`() {
        let progress = progress(at: 10)
        progress.rejoin()
        #expect(progress.missed(12, "trimmed") == 12)
        progress.rejoin()
        #expect(progress.missed(15, "trimmed") == 3)
        #expect(!progress.received(place(26)))
        #expect(progress.position == place(26))
        progress.rejoin()
        #expect(progress.missed(4, "trimmed") == 4)
    }

    @Test func `what was here before it was trimmed is not missed`() {
        let progress = progress(at: 10)
        #expect(!progress.received(place(13)))
        progress.rejoin()
        #expect(progress.missed(12, "trimmed") == 11)
        #expect(!progress.received(place(23)))
        #expect(progress.position == place(23))
    }

    @Test func `a new counting replaces the old one from its beginning`() {
        let progress = progress(at: 50)
        #expect(!progress.received(place(2, epoch: 8)))
        #expect(progress.position == place(0, epoch: 8))
        #expect(!progress.received(place(1, epoch: 8)))
        #expect(progress.position == place(2, epoch: 8))
        // A straggler of the old one.
        #expect(!progress.received(place(51)))
        #expect(progress.position == place(2, epoch: 8))
    }

    @Test func `a new counting whose beginning is told to be gone begins behind that`() {
        let progress = progress(at: 50)
        #expect(progress.missed(3, "other-epoch") == 3)
        #expect(!progress.received(place(4, epoch: 8)))
        #expect(progress.position == place(4, epoch: 8))
    }

    @Test func `a store that was set back makes it forget`() {
        let progress = progress(at: 50)
        #expect(progress.missed(0, "from-the-future") == 0)
        #expect(progress.position == nil)
    }

    @Test func `what a rule left out is passed`() {
        let progress = progress(at: 10)
        #expect(!progress.received(place(15)))
        #expect(!progress.received(place(17)))
        progress.passed(place(15))
        #expect(progress.position == place(15))
        #expect(!progress.received(place(16)))
        #expect(progress.position == place(17))
    }

    @Test func `no number traps`() {
        let progress = progress(at: .max - 1)
        #expect(progress.missed(.max, "trimmed") == .max)
        #expect(progress.missed(.max, "too-fast") == .max)
        #expect(!progress.received(place(.max)))
        #expect(progress.missed(.max, "trimmed") == .max)
        #expect(progress.position == place(.max))
        progress.rejoin()
        progress.rejoin()
        #expect(!progress.received(place(.max, epoch: .max)))
        #expect(progress.position?.epoch == .max)
    }
}

/// What is expected of a call that changes a value can only be written of a class.
private final class Held {
    private var progress = TopicProgress()

    var position: HistoryPosition? { progress.position }

    func begin(at start: HistoryPosition) { progress.begin(at: start) }

    func rejoin() { progress.rejoin() }

    func received(_ place: HistoryPosition) -> Bool { progress.received(place) }

    func passed(_ place: HistoryPosition) { progress.passed(place) }

    func missed(_ count: UInt64, _ reason: String) -> UInt64 { progress.missed(count, reason) }
}
