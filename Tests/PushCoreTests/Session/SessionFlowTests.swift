import Common
import NIOCore
import PushCore
import Testing

/// Deliveries to slow devices, and devices that say too much.
struct SessionFlowTests {
    private func ended(_ reason: CloseReason) -> Ending { Ending(reason: reason, identity: Sample.identity) }

    private var two: Limits {
        var limits = Limits.default
        limits.outboxMessagesMax = 2
        return limits
    }

    @Test func aDeliveryIsGoneUnlessTheSessionIsLive() {
        let session = Transcript()
        #expect(session.deliver("a") == .gone)
        _ = session.received(.hello(token: "t", device: nil), at: 1)
        #expect(session.deliver("a") == .gone)
        _ = session.loginFinished(.granted(Sample.identity, tokenEnd: Transcript.time(100)), at: 1)
        #expect(session.deliver("a") == .write)
        _ = session.close(.kicked, at: 2)
        #expect(session.deliver("a") == .gone)
        _ = session.connectionClosed()
        #expect(session.deliver("a") == .gone)
    }

    @Test func whatWaitsIsWrittenInOrderAndBeforeWhatComesLater() {
        let session = Transcript.live()
        session.writable(false, at: 1)
        #expect(session.deliver("a") == .queued(displaced: 0))
        #expect(session.deliver("b") == .queued(displaced: 0))
        #expect(session.drain() == [])
        session.writable(true, at: 2)
        #expect(session.deliver("c") == .queued(displaced: 0), "not past those that wait")
        #expect(session.drain() == ["a", "b", "c"])
        #expect(session.deliver("d") == .write)
    }

    @Test func dropOldestMakesRoom() {
        let session = Transcript.live(limits: two, overflow: .dropOldest)
        session.writable(false, at: 1)
        _ = session.deliver("a")
        _ = session.deliver("b")
        #expect(session.deliver("c") == .queued(displaced: 1))
        session.writable(true, at: 2)
        #expect(session.drain() == ["b", "c"])
    }

    @Test func collapseReplacesItsKeyAndRefusesOthers() {
        let session = Transcript.live(limits: two, overflow: .collapse)
        session.writable(false, at: 1)
        _ = session.deliver("a", key: "k")
        _ = session.deliver("b")
        #expect(session.deliver("c") == .refused)
        #expect(session.deliver("d", key: "other") == .refused)
        #expect(session.deliver("e", key: "k") == .queued(displaced: 1))
        session.writable(true, at: 2)
        #expect(session.drain() == ["b", "e"])
    }

    @Test func disconnectEndsTheSession() {
        let session = Transcript.live(limits: two, overflow: .disconnect)
        session.writable(false, at: 1)
        _ = session.deliver("a")
        _ = session.deliver("b")
        #expect(session.deliver("c") == .end(ended(.slowConsumer)))
        #expect(session.deliver("d") == .gone)
    }

    /// The first look remembers how much is held back, the next one compares.
    @Test func writingWithoutProgressEndsTheSession() {
        let session = Transcript.live()
        session.writable(false, buffered: 500, at: 1)
        #expect(session.nextDeadline == 11)
        #expect(session.deadline(at: 11, buffered: 500) == .end(ended(.slowConsumer)))
    }

    @Test func writingWithProgressGoesOn() {
        let session = Transcript.live()
        session.writable(false, buffered: 1000, at: 0)
        for look in 1...6 {
            let now = Double(look * 10)
            _ = session.received(.heard, at: now - 1)
            #expect(session.deadline(at: now, buffered: 1000 - look) == .none)
        }
        #expect(session.deadline(at: 70, buffered: 994) == .end(ended(.slowConsumer)))
    }

    @Test func aConnectionThatTakesBytesAgainIsNotStalled() {
        let session = Transcript.live()
        session.writable(false, buffered: 600, at: 0)
        _ = session.deadline(at: 10, buffered: 500)
        session.writable(true, at: 15)
        #expect(session.deadline(at: 20, buffered: 500) == .none)
        #expect(session.nextDeadline == 25)
    }

    @Test func overItsPaceReadingPausesUntilItIsWithinAgain() {
        let session = Transcript.live()
        #expect(session.counted(200, at: 1) == .proceed)
        #expect(session.counted(5, at: 1) == .pause)
        // Five events more than the burst, at 50 a second.
        #expect(session.nextDeadline == 1.1)
        #expect(session.deadline(at: 1.05) == .none)
        #expect(session.deadline(at: 1.1) == .resumeReading)
        #expect(session.nextDeadline == 25)
        #expect(session.counted(1, at: 1.2) == .proceed)
    }

    @Test func overItsPaceForLongerThanThirtySecondsItEnds() {
        let session = Transcript.live()
        #expect(session.counted(201, at: 0) == .pause)
        for tick in 1...1500 { #expect(session.counted(1, at: Double(tick) / 50) == .pause) }
        #expect(session.counted(1, at: 30.02) == .end(ended(.rateLimited)))
    }

    @Test func aMomentWithinThePaceBeginsTheThirtySecondsAnew() {
        let session = Transcript.live()
        _ = session.counted(201, at: 0)
        for tick in 1...1000 { _ = session.counted(1, at: Double(tick) / 50) }
        #expect(session.counted(1, at: 20.04) == .proceed)
        #expect(session.counted(2, at: 20.06) == .pause)
        for tick in 1004...2000 { #expect(session.counted(1, at: Double(tick) / 50) == .pause) }
    }

    @Test func acknowledgementsThatMoveOnAreFree() {
        var limits = Limits.default
        (limits.messagesPerSecondMax, limits.messagesBurstMax) = (1, 1)
        let session = Transcript.live(limits: limits)
        session.claimed(Sample.identity, messages: 60)
        for number in 1...60 as ClosedRange<UInt64> {
            let position = StreamPosition(milliseconds: 5, sequence: number)
            guard case .acknowledged(let step) = session.received(.acknowledge(position.messageID), at: 1) else {
                Issue.record("not acknowledged")
                return
            }
            #expect(step.acknowledge == position)
        }
        #expect(session.counted(60, at: 1) == .proceed)
        // Said again they move nothing, and count like anything else.
        let last = StreamPosition(milliseconds: 5, sequence: 60).messageID
        for _ in 0..<2 { _ = session.received(.acknowledge(last), at: 1) }
        #expect(session.counted(2, at: 1) == .pause)
    }

    @Test func silenceWhileWeDoNotReadIsNotTheDevicesFault() {
        let session = Transcript.live()
        _ = session.deadline(at: 25)
        // 3,000 events owe 56 s of pace.
        #expect(session.counted(3000, at: 26) == .pause)
        #expect(session.deadline(at: 35) == .none)
        #expect(session.nextDeadline == 45)
    }
}
