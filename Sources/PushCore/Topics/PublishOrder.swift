import NIOCore

/// Puts what arrives with numbers back into their order, and lets each number through once.
///
/// Two flows need it. From a PushRoute to a node, calls overtake one another when one is tried again: the PushRoute
/// numbers what it sends to this node from 1, and the key is its link. And a topic with history goes out by its offsets
/// (the key is the topic), so that the last offset a device saw really says what it has seen.
///
/// What comes too early is held, `heldMax` elements for each key and at most `patience` long; then the missing numbers
/// are given up and the rest goes on. Whatever comes after it was given up is told apart (`.tooLate`), so that its
/// caller can say that it was not delivered; it is never let through out of order. In the usual case, that everything
/// comes in order, nothing is allocated.
///
/// Bounded: keys that nothing is held for and that were not heard of for longest are forgotten beyond `keysMax`. A
/// forgotten key that comes again is taken up where it is (`start`).
package struct PublishOrder<Key: Hashable, Element> {
    package struct Rules: Sendable {
        package var heldMax = 256
        package var patience: TimeAmount = .milliseconds(500)
        package var keysMax = 4_096
        /// Numbers given up that are remembered for each key, to be told from those that were let through.
        package var skippedMax = 64

        package init() {}
    }

    /// Where a key begins that was not opened before.
    package enum Start: Sendable {
        /// At 1: the first number of a link is never missed, only late.
        case one
        /// Where it is: what came before is history.
        case anywhere
    }

    package enum Arrival: Equatable, Sendable {
        /// Its turn: deliver it, and then everything that `next` hands out.
        case deliver
        /// `next` will hand it out, now or when its turn has come.
        case held
        case duplicate
        /// Its turn has passed without it.
        case tooLate
        /// Its key was taken up at a later number, when another publisher was faster: nobody waits for this one, and
        /// nobody had it. Only with `Start.anywhere`.
        case beforeStart
    }

    private struct Lane {
        /// Where it was taken up.
        let first: UInt64
        var next: UInt64
        /// By rising number, all above `next`, but for those whose turn has come.
        var held: [(number: UInt64, element: Element)] = []
        var skipped: [UInt64] = []
        /// When the wait for `next` ends; set while something is held.
        var patienceEnd: NIODeadline?
        var heardAt: NIODeadline
    }

    private let rules: Rules
    private let start: Start
    private var lanes: [Key: Lane] = [:]
    /// Keys with something held: few at any time.
    private var waiting: Set<Key> = []
    /// Numbers that were waited for in vain.
    package private(set) var skippedCount = 0

    package init(rules: Rules = Rules(), start: Start) {
        precondition(rules.heldMax > 0 && rules.keysMax > 0, "something is held, of some key")
        self.rules = rules
        self.start = start
    }

    package var keyCount: Int { lanes.count }

    /// Makes `number` the next one of a key, whatever was known of it: what is held is dropped.
    package mutating func open(_ key: Key, next number: UInt64, now: NIODeadline) {
        makeRoom(for: key)
        waiting.remove(key)
        lanes[key] = Lane(first: number, next: number, heardAt: now)
    }

    package mutating func close(_ key: Key) {
        waiting.remove(key)
        lanes[key] = nil
    }

    package mutating func arrived(
        _ element: @autoclosure () -> Element, _ number: UInt64, of key: Key, now: NIODeadline
    ) -> Arrival {
        // The numbers are another process's: the largest, which has no next, is nobody's turn.
        guard number < .max else { return .tooLate }
        guard let index = lanes.index(forKey: key) else {
            open(key, next: start == .one ? 1 : number, now: now)
            return arrived(element(), number, of: key, now: now)
        }
        lanes.values[index].heardAt = now
        guard lanes.values[index].next == number, lanes.values[index].held.isEmpty else {
            return hold(element(), number, of: key, now: now)
        }
        lanes.values[index].next = number + 1
        return .deliver
    }

    /// The next element of a key whose turn has come; asked until it is nil, after every arrival.
    package mutating func next(of key: Key) -> Element? {
        guard var lane = lanes[key], let first = lane.held.first, first.number == lane.next else { return nil }
        lanes[key] = nil
        lane.held.removeFirst()
        lane.next += 1
        if lane.held.isEmpty {
            lane.patienceEnd = nil
            waiting.remove(key)
        }
        lanes[key] = lane
        return first.element
    }

    /// When `giveUp` has something to do.
    package var nextDeadline: NIODeadline? { waiting.compactMap { lanes[$0]?.patienceEnd }.min() }

    /// Waits no longer for numbers that are overdue.
    /// - Returns: the keys that `next` has something of now.
    package mutating func giveUp(now: NIODeadline) -> [Key] {
        let overdue = waiting.filter { key in lanes[key]?.patienceEnd.map { $0 <= now } ?? false }
        for key in overdue { skipToHeld(of: key, now: now) }
        return Array(overdue)
    }

    private mutating func hold(_ element: Element, _ number: UInt64, of key: Key, now: NIODeadline) -> Arrival {
        guard var lane = lanes[key] else { return .tooLate }
        guard number >= lane.next else {
            if start == .anywhere, number < lane.first { return .beforeStart }
            return lane.skipped.contains(number) ? .tooLate : .duplicate
        }
        let place = lane.held.firstIndex { $0.number >= number } ?? lane.held.count
        if place < lane.held.count, lane.held[place].number == number { return .duplicate }
        lanes[key] = nil
        lane.held.insert((number, element), at: place)
        if lane.patienceEnd == nil { lane.patienceEnd = now + rules.patience }
        waiting.insert(key)
        let isFull = lane.held.count > rules.heldMax
        lanes[key] = lane
        if isFull { skipToHeld(of: key, now: now) }
        return .held
    }

    /// Goes on with the first that is held.
    private mutating func skipToHeld(of key: Key, now: NIODeadline) {
        guard var lane = lanes[key], let first = lane.held.first, first.number > lane.next else { return }
        let missing = first.number - lane.next
        skippedCount += Int(clamping: missing)
        let remembered = first.number - min(missing, UInt64(rules.skippedMax))
        lane.skipped = Array((lane.skipped + (remembered..<first.number)).suffix(rules.skippedMax))
        lane.next = first.number
        // What is missing behind it has its own time to come.
        lane.patienceEnd = now + rules.patience
        lanes[key] = lane
    }

    private mutating func makeRoom(for key: Key) {
        guard lanes[key] == nil, lanes.count >= rules.keysMax else { return }
        // A quarter at once, so that a table that stays full is looked through rarely.
        let idle = lanes.filter { $0.value.held.isEmpty }.sorted { $0.value.heardAt < $1.value.heardAt }
        for (key, _) in idle.prefix(max(1, rules.keysMax / 4)) { lanes[key] = nil }
        if idle.isEmpty, let some = waiting.first { close(some) }
    }
}
