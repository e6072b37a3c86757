import Common
import NIOCore
import PushCore
import TestKit
import Testing

/// One session's place in its client's inbox, on paper. Positions are numbers, the window holds four messages.
@Suite struct InboxFlowTests {
    private let rules = InboxFlow.Rules(windowMax: 4, acknowledgementTimeout: .seconds(30))
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func time(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }
    private func place(_ number: UInt64) -> StreamPosition { StreamPosition(milliseconds: 5, sequence: number) }

    /// A page with these messages, which begins after the place before the first.
    private func page(
        _ numbers: ClosedRange<UInt64>?, isMore: Bool = false, trimmed: Int = 0, upTo: UInt64? = nil
    ) -> InboxPage {
        let entries = numbers.map { numbers in
            numbers.map { number in
                InboxEntry(
                    id: place(number), previous: number == 1 ? nil : place(number - 1), message: .sample("\(number)"))
            }
        }
        let last = upTo ?? numbers?.upperBound
        return InboxPage(messages: entries ?? [], isMore: isMore, trimmed: trimmed, upTo: last.map(place))
    }

    private func flow(_ page: InboxPage) -> InboxFlow { InboxFlow(page: page, rules: rules) }

    private func stored(
        _ flow: InboxFlow, _ number: UInt64, after previous: UInt64?, takesBytes: Bool = true
    ) -> InboxFlow.Verdict {
        flow.stored(
            at: place(number), after: previous.map(place), takesBytes: takesBytes, now: start, rules: rules)
    }

    private func acknowledge(_ flow: InboxFlow, _ number: UInt64, at seconds: Int64 = 0) -> InboxFlow.Step {
        flow.acknowledge(upTo: place(number), takesBytes: true, now: time(seconds), rules: rules)
    }

    private func received(_ flow: InboxFlow, _ page: InboxPage, at seconds: Int64 = 0) -> InboxFlow.Step {
        flow.received(page, takesBytes: true, now: time(seconds), rules: rules)
    }

    private func proceed(_ flow: InboxFlow, at seconds: Int64 = 0, takesBytes: Bool = true) -> InboxFlow.Step {
        flow.proceed(takesBytes: takesBytes, now: time(seconds), rules: rules)
    }

    @Test func theNextMessageIsSentAtOnceAndOnlyOnce() {
        let flow = flow(.empty)
        #expect(stored(flow, 1, after: nil) == .send)
        #expect(stored(flow, 1, after: nil) == .duplicate)
        #expect(stored(flow, 2, after: 1) == .send)
        #expect(acknowledge(flow, 2).acknowledge == place(2))
        #expect(acknowledge(flow, 2) == .nothing)
        #expect(acknowledge(flow, 1) == .nothing)
    }

    @Test func whenOneIsMissingThePlaceIsReadAndTheOrderKept() {
        let flow = flow(.empty)
        #expect(stored(flow, 1, after: nil) == .send)
        #expect(stored(flow, 3, after: 2) == .waits)
        #expect(proceed(flow).read == place(1))
        // While the store is asked, nothing overtakes.
        #expect(stored(flow, 4, after: 3) == .waits)
        #expect(proceed(flow).read == nil)
        let step = received(flow, page(2...3))
        #expect(step.texts == ["2", "3"])
        // The fourth came while the store was asked, and was not in the page.
        #expect(step.read == nil)
        #expect(acknowledge(flow, 3).read == place(3))
        #expect(received(flow, page(4...4)).texts == ["4"])
        #expect(stored(flow, 5, after: 4) == .send)
    }

    @Test func aFullWindowWaitsForHalfOfItToBeAcknowledged() {
        let flow = flow(.empty)
        for number: UInt64 in 1...4 { #expect(stored(flow, number, after: number == 1 ? nil : number - 1) == .send) }
        #expect(stored(flow, 5, after: 4) == .waits)
        #expect(proceed(flow) == .nothing)
        #expect(acknowledge(flow, 1).read == nil)
        #expect(acknowledge(flow, 2).read == place(4))
        #expect(received(flow, page(5...5)).texts == ["5"])
    }

    @Test func whatTheClaimBroughtIsSentFirstAndPageByPage() {
        let first = page(1...6, isMore: true, upTo: 8)
        let flow = flow(first)
        #expect(received(flow, first).texts == ["1", "2", "3", "4"])
        #expect(stored(flow, 9, after: 8) == .waits)
        // The rest of the page lies ready: no question for it.
        var step = acknowledge(flow, 1)
        #expect(step.texts == ["5"] && step.read == nil && step.acknowledge == place(1))
        step = acknowledge(flow, 5)
        #expect(step.texts == ["6"] && step.read == place(6))
        #expect(received(flow, page(7...9)).texts == ["7", "8", "9"])
        #expect(acknowledge(flow, 9).acknowledge == place(9))
        #expect(stored(flow, 10, after: 9) == .send)
    }

    @Test func aConnectionThatTakesNothingIsSentNothing() {
        let flow = flow(.empty)
        #expect(stored(flow, 1, after: nil, takesBytes: false) == .waits)
        #expect(proceed(flow, takesBytes: false) == .nothing)
        #expect(proceed(flow).read == .start)
        #expect(flow.received(page(1...2), takesBytes: false, now: start, rules: rules) == .nothing)
        #expect(proceed(flow).texts == ["1", "2"])
    }

    @Test func withoutAnAcknowledgementEverythingIsSentAgainEverMoreSlowly() {
        let flow = flow(.empty)
        #expect(stored(flow, 1, after: nil) == .send)
        #expect(stored(flow, 2, after: 1) == .send)
        #expect(flow.nextDeadline == time(30))
        #expect(proceed(flow, at: 29) == .nothing)
        #expect(proceed(flow, at: 30).read == .start)
        #expect(received(flow, page(1...2), at: 31).texts == ["1", "2"])
        #expect(flow.nextDeadline == time(31 + 60))
        // The first acknowledgement makes it patient anew, and what it covers is not sent again.
        #expect(acknowledge(flow, 1, at: 40).acknowledge == place(1))
        #expect(flow.nextDeadline == time(70))
        #expect(proceed(flow, at: 70).read == place(1))
        #expect(received(flow, page(2...2), at: 70).texts == ["2"])
    }

    @Test func anAcknowledgementDuringASecondSendingCountsForTheFirst() {
        let flow = flow(.empty)
        for number: UInt64 in 1...3 { #expect(stored(flow, number, after: number == 1 ? nil : number - 1) == .send) }
        #expect(proceed(flow, at: 30).read == .start)
        let step = acknowledge(flow, 3, at: 31)
        #expect(step.acknowledge == place(3) && step.texts == [])
        #expect(received(flow, page(1...3), at: 32) == .nothing)
        #expect(stored(flow, 4, after: 3) == .send)
    }

    @Test func theFutureCannotBeAcknowledged() {
        let flow = flow(.empty)
        #expect(stored(flow, 1, after: nil) == .send)
        #expect(acknowledge(flow, 99).acknowledge == place(1))
        #expect(stored(flow, 2, after: 1) == .send)
    }

    @Test func aGapIsToldOnce() {
        let first = page(3...4, trimmed: 2)
        let flow = flow(first)
        #expect(received(flow, first).gap == 2)
        flow.reaches(place(5))
        #expect(proceed(flow).read == place(4))
        #expect(received(flow, page(5...5, trimmed: 2)).gap == nil)
    }

    @Test func aStoreThatDoesNotAnswerIsAskedLater() {
        let flow = flow(.empty)
        flow.reaches(place(1))
        #expect(proceed(flow).read == .start)
        flow.readFailed(now: start, rules: rules)
        #expect(flow.nextDeadline == time(1))
        #expect(proceed(flow).read == nil)
        #expect(proceed(flow, at: 1).read == .start)
        flow.readFailed(now: time(1), rules: rules)
        #expect(flow.nextDeadline == time(3))
    }

    @Test func aWipedStoreEndsTheQuestion() {
        let flow = flow(.empty)
        flow.reaches(place(7))
        #expect(proceed(flow).read == .start)
        #expect(received(flow, .empty) == .nothing)
        #expect(proceed(flow) == .nothing)
        #expect(
            flow.stored(
                at: StreamPosition(milliseconds: 6, sequence: 1), after: nil, takesBytes: true, now: start, rules: rules
            )
                == .send)
    }
}

extension InboxFlow.Step {
    var texts: [String] { send.map { String(buffer: $0.data) } }
}

extension StoredMessage {
    static func sample(_ text: String) -> StoredMessage {
        StoredMessage(
            push: UUIDv7(unixMilliseconds: 1, random: (1, 1)), data: Array(text.utf8), timestampMilliseconds: 1,
            expiresAtMilliseconds: .max)
    }
}
