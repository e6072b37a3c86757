import NIOCore
import PushCore
import TestKit
import Testing

struct TimerWheelTests {
    private let start = NIODeadline.uptimeNanoseconds(7_000_000_000)

    private func due(_ wheel: inout TimerWheel<Int>, at now: NIODeadline) -> [Int] {
        var out: [Int] = []
        wheel.advance(to: now) { _, element, _ in out.append(element) }
        return out
    }

    @Test func handsOutInTheFirstTickAtOrAfterTheDeadline() {
        var wheel = TimerWheel<Int>(tick: .milliseconds(100), slotCount: 8, now: start)
        #expect(wheel.insert(1, at: start + .milliseconds(100)) == start + .milliseconds(100))
        #expect(wheel.insert(2, at: start + .milliseconds(101)) == start + .milliseconds(200))
        #expect(wheel.insert(3, at: start - .seconds(1)) == start + .milliseconds(100))
        #expect(due(&wheel, at: start + .milliseconds(99)) == [])
        #expect(due(&wheel, at: start + .milliseconds(100)) == [1, 3])
        #expect(due(&wheel, at: start + .milliseconds(500)) == [2])
        #expect(wheel.count == 0)
    }

    @Test func aDeadlineBeyondTheSpanIsAskedAgain() {
        var wheel = TimerWheel<Int>(tick: .milliseconds(100), slotCount: 4, now: start)
        let deadline = start + .seconds(2)
        wheel.insert(1, at: deadline)
        var asked: [Int64] = []
        wheel.advance(to: start + .seconds(3)) { wheel, element, slot in
            asked.append((slot - start).nanoseconds / 1_000_000)
            if slot < deadline { wheel.insert(element, at: deadline) }
        }
        #expect(asked == [400, 800, 1200, 1600, 2000])
    }

    @Test(arguments: [0, 7_000_000_000] as [UInt64])
    func neverIsFarAway(_ origin: UInt64) {
        let start = NIODeadline.uptimeNanoseconds(origin)
        var wheel = TimerWheel<Int>(tick: .milliseconds(100), slotCount: 4, now: start)
        #expect(wheel.insert(1, at: .distantFuture) == start + .milliseconds(400))
    }

    /// A deadline that moved earlier leaves its old slot standing; its time tells the two apart.
    @Test func aStaleSlotIsToldByItsTime() {
        var wheel = TimerWheel<Int>(tick: .milliseconds(100), slotCount: 16, now: start)
        let old = wheel.insert(1, at: start + .milliseconds(900))
        let new = wheel.insert(1, at: start + .milliseconds(300))
        var seen: [NIODeadline] = []
        wheel.advance(to: start + .seconds(2)) { _, _, slot in seen.append(slot) }
        #expect(seen == [new, old])
    }

    @Test func neverEarlyAndAtMostOneTickLate() {
        var random = SplitMix.printed()
        let tick = TimeAmount.milliseconds(10)
        var wheel = TimerWheel<Int>(tick: tick, slotCount: 32, now: start)
        var deadlines: [NIODeadline] = []
        var met = 0
        var now = start
        for _ in 0..<3000 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let deadline = now + .microseconds(Int64.random(in: 0...900_000, using: &random))
                wheel.insert(deadlines.count, at: deadline)
                deadlines.append(deadline)
            }
            // Turned at every tick, as the event loop does.
            now = now + tick
            wheel.advance(to: now) { wheel, element, _ in
                let deadline = deadlines[element]
                guard deadline <= now else {
                    wheel.insert(element, at: deadline)
                    return
                }
                met += 1
                if now - deadline > tick { Issue.record("late by \((now - deadline).nanoseconds) ns") }
            }
        }
        #expect(wheel.count == deadlines.count - met)
        #expect(deadlines.filter { $0 + tick <= now }.count <= met, "nothing that was due still waits")
    }
}
