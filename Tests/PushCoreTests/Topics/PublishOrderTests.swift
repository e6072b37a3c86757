import NIOCore
import PushCore
import TestKit
import Testing

struct PublishOrderTests {
    private typealias Order = PublishOrder<String, UInt64>
    private let start = NIODeadline.uptimeNanoseconds(7_000_000_000)

    /// A number arrives at a link: what goes on.
    private func arrive(_ order: inout Order, _ number: UInt64, of key: String = "link", at now: NIODeadline? = nil)
        -> (Order.Arrival, [UInt64])
    {
        let arrival = order.arrived(number, number, of: key, now: now ?? start)
        return (arrival, (arrival == .deliver ? [number] : []) + drain(&order, key))
    }

    private func drain(_ order: inout Order, _ key: String = "link") -> [UInt64] {
        var released: [UInt64] = []
        while let number = order.next(of: key) { released.append(number) }
        return released
    }

    @Test func whatComesInOrderGoesOnAtOnce() {
        var order = Order(start: .one)
        for number in 1...5 as ClosedRange<UInt64> { #expect(arrive(&order, number) == (.deliver, [number])) }
        #expect(order.nextDeadline == nil)
    }

    @Test func whatComesTooEarlyWaitsForTheRest() {
        var order = Order(start: .one)
        #expect(arrive(&order, 2) == (.held, []))
        #expect(arrive(&order, 4) == (.held, []))
        #expect(arrive(&order, 3) == (.held, []))
        #expect(order.nextDeadline == start + .milliseconds(500))
        #expect(arrive(&order, 1) == (.held, [1, 2, 3, 4]), "it goes out before those that waited for it")
        #expect(order.nextDeadline == nil)
        #expect(arrive(&order, 5) == (.deliver, [5]))
    }

    @Test func eachNumberGoesOnOnce() {
        var order = Order(start: .one)
        _ = arrive(&order, 1)
        #expect(arrive(&order, 1) == (.duplicate, []))
        #expect(arrive(&order, 3) == (.held, []))
        #expect(arrive(&order, 3) == (.duplicate, []))
        #expect(arrive(&order, 2) == (.held, [2, 3]))
        for number in 1...3 as ClosedRange<UInt64> { #expect(arrive(&order, number) == (.duplicate, [])) }
    }

    @Test func waitsOnlySoLong() {
        var order = Order(start: .one)
        #expect(arrive(&order, 3) == (.held, []))
        #expect(order.giveUp(now: start + .milliseconds(499)) == [])
        #expect(order.giveUp(now: start + .milliseconds(500)) == ["link"])
        #expect(drain(&order) == [3])
        #expect(order.skippedCount == 2)
        #expect(arrive(&order, 2) == (.tooLate, []), "it can be told that it was not delivered")
        #expect(arrive(&order, 3) == (.duplicate, []))
        #expect(arrive(&order, 4) == (.deliver, [4]))
        #expect(order.giveUp(now: start + .seconds(60)) == [])
    }

    @Test func aSecondHoleHasItsOwnTime() {
        var order = Order(start: .one)
        _ = arrive(&order, 2)
        _ = arrive(&order, 4)
        let later = start + .milliseconds(500)
        #expect(order.giveUp(now: later) == ["link"])
        #expect(drain(&order) == [2])
        #expect(order.nextDeadline == later + .milliseconds(500))
        #expect(arrive(&order, 3, at: later) == (.held, [3, 4]))
    }

    @Test func holdsOnlySoMuch() {
        var rules = Order.Rules()
        rules.heldMax = 3
        var order = Order(rules: rules, start: .one)
        for number in 3...5 as ClosedRange<UInt64> { #expect(arrive(&order, number) == (.held, [])) }
        #expect(arrive(&order, 6) == (.held, [3, 4, 5, 6]), "1 and 2 are given up")
        #expect(arrive(&order, 1) == (.tooLate, []))
    }

    @Test func aTopicBeginsWhereItIs() {
        var order = Order(start: .anywhere)
        #expect(arrive(&order, 41) == (.deliver, [41]))
        #expect(arrive(&order, 42) == (.deliver, [42]))
        order.open("link", next: 50, now: start)
        #expect(arrive(&order, 51) == (.held, []))
        #expect(arrive(&order, 50) == (.held, [50, 51]))
    }

    @Test func keysDoNotWaitForOneAnother() {
        var order = Order(start: .one)
        #expect(arrive(&order, 2, of: "a") == (.held, []))
        #expect(arrive(&order, 1, of: "b") == (.deliver, [1]))
        order.close("a")
        #expect(order.nextDeadline == nil)
        #expect(order.keyCount == 1)
    }

    @Test func theTableOfKeysIsBounded() {
        var rules = Order.Rules()
        rules.keysMax = 8
        var order = Order(rules: rules, start: .anywhere)
        for number in 0..<1_000 {
            let now = start + .milliseconds(Int64(number))
            #expect(arrive(&order, 5, of: "k\(number)", at: now) == (.deliver, [5]))
            #expect(order.keyCount <= 8)
        }
        // Also when something is held of each.
        for number in 0..<20 { _ = arrive(&order, 7, of: "k\(number)") }
        for number in 0..<20 {
            _ = arrive(&order, 9, of: "k\(number)")
            #expect(order.keyCount <= 8)
        }
    }

    @Test func theLargestNumberIsNobodysTurn() {
        var order = Order(start: .anywhere)
        #expect(arrive(&order, .max) == (.tooLate, []))
        #expect(arrive(&order, .max - 1) == (.deliver, [.max - 1]))
        #expect(arrive(&order, .max) == (.tooLate, []))
        #expect(arrive(&order, .max - 1) == (.duplicate, []))
    }

    /// Numbers that overtake one another, come twice and get lost: what goes on is in order and once, and is all that
    /// came in time.
    @Test(arguments: 0..<50)
    func whateverArrivesGoesOnInOrderAndOnce(_ run: UInt64) {
        var random = SplitMix(seed: 0x0DE5_0000 + run)
        var order = Order(start: .one)
        var now = start
        let losing = run.isMultiple(of: 2)
        var sent: [UInt64] = Array(1...400)
        if losing { sent.removeAll { _ in Int.random(in: 0..<20, using: &random) == 0 } }
        var onTheWay: [UInt64] = []
        var out: [UInt64] = []
        var late: Set<UInt64> = []
        var remaining = sent[...]
        while !remaining.isEmpty || !onTheWay.isEmpty {
            if let number = remaining.popFirst() {
                onTheWay.append(number)
                if Int.random(in: 0..<5, using: &random) == 0 { onTheWay.append(number) }
            }
            while onTheWay.count > 10 || (remaining.isEmpty && !onTheWay.isEmpty) {
                let number = onTheWay.remove(at: .random(in: onTheWay.indices, using: &random))
                let (arrival, released) = arrive(&order, number, at: now)
                if arrival == .tooLate { late.insert(number) }
                out += released
            }
            now = now + .milliseconds(.random(in: 0...20, using: &random))
            if losing { for key in order.giveUp(now: now) { out += drain(&order, key) } }
        }
        for key in order.giveUp(now: now + .seconds(10)) { out += drain(&order, key) }
        while let end = order.nextDeadline { for key in order.giveUp(now: end) { out += drain(&order, key) } }
        #expect(out == out.sorted(), "seed \(0x0DE5_0000 + run)")
        #expect(Set(out).count == out.count)
        #expect(Set(out).union(late) == Set(sent))
        if !losing { #expect(out == sent) }
    }
}
