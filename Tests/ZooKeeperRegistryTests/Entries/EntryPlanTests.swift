import Common
import TestKit
import Testing

@testable import ZooKeeperRegistry

@Suite("Entries, decided")
struct EntryPlanTests {
    let start = ContinuousClock.now
    let mine = Member.sample("n1", life: 1)
    let other = Member.sample("n1", life: 2)

    func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    /// One reading in session 7, with 4 s of patience.
    func next(
        _ plan: inout EntryPlan, _ found: FoundEntry?, wanted: Member?, at seconds: Double = 0,
        inTouchSince contact: Double = 0
    ) -> EntryPlan.Step {
        plan.next(
            found: found, incarnation: mine.incarnation, wanted: wanted, session: 7, inTouchSince: at(contact),
            patience: .seconds(4), now: at(seconds))
    }

    @Test("Nothing there: create, then it stands")
    func create() {
        var plan = EntryPlan()
        #expect(next(&plan, nil, wanted: mine) == .create)
        #expect(next(&plan, FoundEntry(version: 0, owner: 7, member: mine), wanted: mine) == .stands)
    }

    @Test("Other content is written over, against the version that was read")
    func write() {
        var plan = EntryPlan()
        var changed = mine
        changed.weight = 3
        let found = FoundEntry(version: 5, owner: 7, member: mine)
        #expect(next(&plan, found, wanted: changed) == .write(version: 5))
        let spoiled = FoundEntry(version: 6, owner: 7, member: nil)
        #expect(next(&plan, spoiled, wanted: mine) == .write(version: 6))
    }

    @Test("What an earlier session of this process left is replaced")
    func leftover() {
        var plan = EntryPlan()
        let left = FoundEntry(version: 2, owner: 6, member: mine)
        #expect(next(&plan, left, wanted: mine) == .replaceLeftover(version: 2))
        #expect(next(&plan, FoundEntry(version: 0, owner: 7, member: mine), wanted: mine) == .stands)
    }

    @Test("Another's entry is waited for, and taken over when it goes in time")
    func predecessor() {
        var plan = EntryPlan()
        let found = FoundEntry(version: 0, owner: 3, member: other)
        #expect(next(&plan, found, wanted: mine, at: 0) == .wait(until: at(4)))
        #expect(next(&plan, found, wanted: mine, at: 3.9) == .wait(until: at(4)))
        #expect(next(&plan, nil, wanted: mine, at: 3.95) == .create)
    }

    @Test("Another's entry that stays is a living process")
    func taken() {
        var plan = EntryPlan()
        let found = FoundEntry(version: 0, owner: 3, member: other)
        #expect(next(&plan, found, wanted: mine, at: 0) == .wait(until: at(4)))
        #expect(next(&plan, found, wanted: mine, at: 4) == .taken(by: other.incarnation))
    }

    @Test("An ensemble that was away gives everybody the full time again")
    func outage() {
        var plan = EntryPlan()
        let found = FoundEntry(version: 0, owner: 3, member: other)
        #expect(next(&plan, found, wanted: mine, at: 0) == .wait(until: at(4)))
        #expect(next(&plan, found, wanted: mine, at: 9, inTouchSince: 8) == .wait(until: at(12)))
        #expect(next(&plan, found, wanted: mine, at: 12, inTouchSince: 8) == .taken(by: other.incarnation))
    }

    @Test("A third one gets the full time again")
    func third() {
        var plan = EntryPlan()
        let third = Member.sample("n1", life: 3)
        _ = next(&plan, FoundEntry(version: 0, owner: 3, member: other), wanted: mine, at: 0)
        let step = next(&plan, FoundEntry(version: 0, owner: 4, member: third), wanted: mine, at: 3)
        #expect(step == .wait(until: at(7)))
    }

    @Test("What is no member's, or not ephemeral, is a stranger's")
    func strangers() {
        var plan = EntryPlan()
        #expect(next(&plan, FoundEntry(version: 0, owner: 3, member: nil), wanted: mine) == .wait(until: at(4)))
        #expect(
            next(&plan, FoundEntry(version: 0, owner: 3, member: nil), wanted: mine, at: 4) == .taken(by: nil))
        var second = EntryPlan()
        #expect(next(&second, FoundEntry(version: 0, owner: 0, member: mine), wanted: mine) == .wait(until: at(4)))
    }

    @Test("A withdrawal deletes what is ours, of any session, and nothing else")
    func withdraw() {
        var plan = EntryPlan()
        #expect(next(&plan, FoundEntry(version: 1, owner: 7, member: mine), wanted: nil) == .delete(version: 1))
        #expect(next(&plan, FoundEntry(version: 1, owner: 6, member: mine), wanted: nil) == .delete(version: 1))
        #expect(next(&plan, FoundEntry(version: 1, owner: 3, member: other), wanted: nil) == .gone)
        #expect(next(&plan, nil, wanted: nil) == .gone)
    }
}
