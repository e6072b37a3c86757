import Common
import Testing

@testable import PushServer

/// What is told of coming and going, and when.
@Suite struct PresenceHoldTests {
    private let start = ContinuousClock.now
    private var hold = PresenceHold(settle: .seconds(1), countMax: 100)

    private func notice(
        _ change: PresenceNotice.Change, _ epoch: UInt64, client: String = "a", device: String = "phone"
    ) -> PresenceNotice {
        PresenceNotice(
            change, ClientID(unchecked: client),
            Route(
                device: DeviceID(unchecked: device),
                incarnation: Incarnation(node: NodeID(unchecked: "n1"), life: 1),
                session: SessionID(high: 0, low: epoch), epoch: Epoch(epoch)), milliseconds: 0)
    }

    private mutating func came(_ epoch: UInt64, at milliseconds: Int, client: String = "a", device: String = "phone") {
        _ = hold.came(
            notice(.online, epoch, client: client, device: device), now: start + .milliseconds(milliseconds))
    }

    private mutating func left(
        _ epoch: UInt64, at milliseconds: Int, isTold: Bool = true, client: String = "a", device: String = "phone"
    ) {
        _ = hold.left(
            notice(.offline(.connectionLost), epoch, client: client, device: device), isTold: isTold,
            now: start + .milliseconds(milliseconds))
    }

    /// "a +1": client a came under epoch 1.
    private mutating func told(at milliseconds: Int) -> [String] {
        hold.takeSettled(now: start + .milliseconds(milliseconds)).map(text)
    }

    private func text(_ notice: PresenceNotice) -> String {
        "\(notice.client) \(notice.isOnline ? "+" : "-")\(notice.epoch)"
    }

    @Test mutating func bothKindsWaitForTheSettlingTime() {
        came(1, at: 0)
        #expect(told(at: 999) == [])
        #expect(told(at: 1_000) == ["a +1"])
        left(1, at: 5_000)
        #expect(hold.nextDue == start + .milliseconds(6_000))
        #expect(told(at: 5_999) == [])
        #expect(told(at: 6_000) == ["a -1"])
        #expect(hold.count == 0)
    }

    @Test mutating func aCrowdIsNotRememberedWithoutABound() {
        for number in 1...1_000 { came(UInt64(number), at: 0, client: "c\(number)") }
        #expect(hold.count == 100)
        #expect(hold.remembered == 200)
        #expect(told(at: 1_000) == (901...1_000).map { "c\($0) +\($0)" })
        _ = told(at: 2_000)
        #expect(hold.remembered == 0)
    }

    @Test mutating func aReconnectOnThisNodeTakesTheOldEndBack() {
        came(1, at: 0)
        #expect(told(at: 1_000) == ["a +1"])
        left(1, at: 5_000)
        came(2, at: 5_500)
        #expect(told(at: 7_000) == ["a +2"])
    }

    @Test mutating func anEndThatIsNoticedAfterTheNewClaimIsNotTold() {
        came(1, at: 0)
        #expect(told(at: 1_000) == ["a +1"])
        came(2, at: 5_000)
        left(1, at: 5_010)
        #expect(told(at: 9_000) == ["a +2"])
    }

    @Test mutating func aSessionThatEndsBeforeItWasToldIsToldAsAnEndAlone() {
        came(1, at: 0)
        left(1, at: 500)
        #expect(told(at: 1_000) == [])
        #expect(told(at: 1_500) == ["a -1"])
    }

    /// Whoever left out the news of 1 because of 2 relies on this: the news of 2 follows, whatever becomes of it.
    @Test mutating func aShortNewerSessionStillHasItsNewsTold() {
        came(1, at: 0)
        #expect(told(at: 1_000) == ["a +1"])
        came(2, at: 5_000)
        left(1, at: 5_010)
        left(2, at: 5_020)
        #expect(told(at: 9_000) == ["a -2"])
    }

    @Test mutating func aDisplacedSessionIsNotToldAsAnEnd() {
        came(1, at: 0)
        left(1, at: 500, isTold: false)
        #expect(told(at: 2_000) == [])
        came(2, at: 3_000)
        #expect(told(at: 4_000) == ["a +2"])
        left(2, at: 5_000, isTold: false)
        #expect(told(at: 9_000) == [])
    }

    @Test mutating func otherDevicesAndClientsAreOtherNews() {
        came(1, at: 0, device: "phone")
        came(2, at: 0, device: "tv")
        came(3, at: 0, client: "b")
        #expect(told(at: 1_000) == ["a +1", "a +2", "b +3"])
        left(2, at: 2_000, device: "tv")
        #expect(told(at: 3_000) == ["a -2"])
    }

    @Test mutating func nothingIsRememberedForEver() {
        for epoch in 1...1_000 as ClosedRange<UInt64> { came(epoch, at: Int(epoch) * 10, client: "c\(epoch)") }
        _ = told(at: 100_000)
        #expect(String(describing: Mirror(reflecting: hold).descendant("newest") ?? "?") == "[:]")
        #expect(String(describing: Mirror(reflecting: hold).descendant("forgetting") ?? "?") == "[]")
    }

    @Test mutating func theOldestGiveWayBeyondTheBound() {
        hold = PresenceHold(settle: .seconds(1), countMax: 2)
        #expect(hold.came(notice(.online, 1, client: "a"), now: start) == 0)
        #expect(hold.came(notice(.online, 2, client: "b"), now: start) == 0)
        #expect(hold.came(notice(.online, 3, client: "c"), now: start) == 1)
        #expect(told(at: 1_000) == ["b +2", "c +3"])
    }

    @Test mutating func atTheEndEverythingIsHandedOver() {
        came(1, at: 0)
        left(2, at: 0, client: "b")
        #expect(hold.takeAll().map(text) == ["a +1", "b -2"])
        #expect(hold.count == 0)
    }
}
