import Common
import NIOCore
import PushCore
import Testing

struct RecentPublishesTests {
    private let start = NIODeadline.uptimeNanoseconds(7_000_000_000)
    private func id(_ number: Int) -> MessageID { MessageID(unchecked: "m-\(number)") }

    @Test func aPublishIsNewOnce() {
        var recent = RecentPublishes(window: .seconds(10), now: start)
        #expect(recent.note(id(1), now: start) == true)
        #expect(recent.note(id(1), now: start) == false)
        #expect(recent.note(id(2), now: start) == true)
        #expect(recent.note(id(1), now: start + .seconds(9)) == false)
    }

    @Test func isRememberedForAWindowAtLeastAndTwoAtMost() {
        var recent = RecentPublishes(window: .seconds(10), now: start)
        #expect(recent.note(id(1), now: start + .seconds(9)) == true)
        #expect(recent.note(id(1), now: start + .seconds(19)) == false)
        #expect(recent.note(id(2), now: start + .seconds(20)) == true)
        #expect(recent.note(id(1), now: start + .seconds(30)) == true, "two windows have ended since")
    }

    @Test func afterALongSilenceNothingIsRemembered() {
        var recent = RecentPublishes(window: .seconds(10), now: start)
        #expect(recent.note(id(1), now: start) == true)
        #expect(recent.note(id(1), now: start + .seconds(20)) == true)
        #expect(recent.count == 1)
    }

    @Test func aFullWindowEndsEarlyAndIsCounted() {
        var recent = RecentPublishes(window: .seconds(10), idsMax: 3, now: start)
        for number in 1...7 {
            #expect(recent.note(id(number), now: start) == true)
            #expect(recent.count <= 6)
        }
        #expect(recent.shortenedCount == 2)
        #expect(recent.note(id(7), now: start) == false)
        #expect(recent.note(id(4), now: start) == false, "of the window before")
        #expect(recent.note(id(1), now: start) == true, "two windows ago")
    }
}
