import NIOCore

/// Deadlines of many sessions without a timer each: one wheel per event loop, turned by one repeated task.
///
/// A slot holds whatever may have something to do in its tick. Nothing is ever removed early: a session whose deadline
/// moved simply answers, when its slot comes, that it is not due, and is put in again. So moving a deadline later (the
/// common case: something was heard) costs nothing at all.
///
/// An element may stand in several slots, when a deadline moved earlier: the owner remembers the slot time that counts
/// and ignores the others.
///
/// Deadlines beyond the wheel's span are put into its last slot and asked again there. A deadline is met at most one
/// tick late.
package struct TimerWheel<Element> {
    package let tick: TimeAmount
    private var slots: [[Element]]
    /// The tick number that `advance` will look at next.
    private var nextTick: UInt64
    private let origin: NIODeadline
    package private(set) var count = 0

    /// - Parameters:
    ///   - tick: resolution.
    ///   - slotCount: span in ticks.
    package init(tick: TimeAmount, slotCount: Int, now: NIODeadline) {
        precondition(slotCount > 1 && tick.nanoseconds > 0, "a wheel turns")
        self.tick = tick
        slots = Array(repeating: [], count: slotCount)
        nextTick = 1
        origin = now
    }

    /// Puts an element where it will be handed out at or after its deadline.
    /// - Returns: the time its slot stands for.
    @discardableResult
    package mutating func insert(_ element: Element, at deadline: NIODeadline) -> NIODeadline {
        let wanted = tickNumber(atOrAfter: deadline)
        let last = nextTick + UInt64(slots.count) - 1
        let chosen = min(max(wanted, nextTick), last)
        slots[Int(chosen % UInt64(slots.count))].append(element)
        count += 1
        return origin + TimeAmount.nanoseconds(Int64(chosen) * tick.nanoseconds)
    }

    /// Hands out everything whose slot has come, in the order of the slots, with the time that the slot stands for.
    package mutating func advance(to now: NIODeadline, _ body: (inout TimerWheel, Element, NIODeadline) -> Void) {
        while case let slotTime = origin + TimeAmount.nanoseconds(Int64(nextTick) * tick.nanoseconds), slotTime <= now {
            let slot = Int(nextTick % UInt64(slots.count))
            let due = slots[slot]
            slots[slot] = []
            count -= due.count
            nextTick += 1
            for element in due { body(&self, element, slotTime) }
        }
    }

    private func tickNumber(atOrAfter deadline: NIODeadline) -> UInt64 {
        let distance = (deadline - origin).nanoseconds
        guard distance > 0 else { return 0 }
        // Unsigned, so that rounding up a distance as far as `.distantFuture` does not overflow.
        return (UInt64(distance) + UInt64(tick.nanoseconds) - 1) / UInt64(tick.nanoseconds)
    }
}

extension TimerWheel: Sendable where Element: Sendable {}
