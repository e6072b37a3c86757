import Common

/// The two sides of every subscription: the list of a pattern's sessions, and the chain of a session's subscriptions.
/// Patterns have numbers here; `TopicIndex` knows which number a topic leads to.
///
/// A pattern's sessions lie side by side, so that a fan-out reads memory from front to end. Each knows its link in the
/// chain of its session, and the link its place in the list: a session leaves a list by putting the last one into its
/// place. Nothing is allocated for a session, whatever it subscribes to.
@usableFromInline struct SubscriptionTable {
    /// A session in the list of a pattern.
    @usableFromInline struct Member {
        @usableFromInline let slot: SubscriberSlot
        /// Its link.
        let link: UInt32
    }

    /// A subscription in the chain of its session.
    private struct Link {
        var pattern: UInt32
        /// In the list of the pattern.
        var place: UInt32
        /// The session's next one.
        var next: UInt32
    }

    private struct Entry {
        /// Nil while the number is free.
        var pattern: TopicPattern?
        var members: [Member]
    }

    /// One member and one link.
    static let bytesPerSubscription = MemoryLayout<Member>.stride + MemoryLayout<Link>.stride
    private static let none = UInt32.max

    private var entries: [Entry] = []
    private var freeEntries: [UInt32] = []
    private var links: [Link] = []
    /// The first of the links that are free, chained.
    private var freeLink = none
    /// By the slot's place: the session's first link.
    private var heads: [UInt32] = []
    private(set) var count = 0

    // MARK: Patterns

    /// A number for a pattern without subscribers yet.
    mutating func open(_ pattern: TopicPattern) -> UInt32 {
        if let number = freeEntries.popLast() {
            entries[Int(number)].pattern = pattern
            return number
        }
        entries.append(Entry(pattern: pattern, members: []))
        return UInt32(entries.count - 1)
    }

    /// Gives back the number of a pattern without subscribers.
    mutating func close(_ number: UInt32) {
        entries[Int(number)] = Entry(pattern: nil, members: [])
        freeEntries.append(number)
    }

    func members(of number: UInt32) -> [Member] { entries[Int(number)].members }

    func memberCount(of number: UInt32) -> Int { entries[Int(number)].members.count }

    func pattern(_ number: UInt32) -> TopicPattern? { entries[Int(number)].pattern }

    func forEachPattern(_ body: (TopicPattern, Int) -> Void) {
        for entry in entries { if let pattern = entry.pattern { body(pattern, entry.members.count) } }
    }

    // MARK: Sessions

    /// How many places of the heads are in use, at most.
    var placeCount: Int { heads.count }

    func forEachPattern(of slot: SubscriberSlot, _ body: (UInt32) -> Void) {
        var link = head(of: slot)
        while link != Self.none {
            body(links[Int(link)].pattern)
            link = links[Int(link)].next
        }
    }

    mutating func add(_ slot: SubscriberSlot, to number: UInt32) {
        while heads.count <= slot.place { heads.append(Self.none) }
        let place = UInt32(entries[Int(number)].members.count)
        let link = takeLink(Link(pattern: number, place: place, next: heads[slot.place]))
        heads[slot.place] = link
        entries[Int(number)].members.append(Member(slot: slot, link: link))
        count += 1
    }

    /// - Returns: whether it was there.
    mutating func remove(_ slot: SubscriberSlot, from number: UInt32) -> Bool {
        var previous = Self.none
        var link = head(of: slot)
        while link != Self.none, links[Int(link)].pattern != number {
            previous = link
            link = links[Int(link)].next
        }
        guard link != Self.none else { return false }
        if previous == Self.none {
            heads[slot.place] = links[Int(link)].next
        } else {
            links[Int(previous)].next = links[Int(link)].next
        }
        removeMember(of: link)
        return true
    }

    /// Takes the session's newest subscription away.
    /// - Returns: the number of its pattern; nil when there was none.
    mutating func removeFirst(of slot: SubscriberSlot) -> UInt32? {
        let link = head(of: slot)
        guard link != Self.none else { return nil }
        let number = links[Int(link)].pattern
        heads[slot.place] = links[Int(link)].next
        removeMember(of: link)
        return number
    }

    private func head(of slot: SubscriberSlot) -> UInt32 {
        guard slot.place < heads.count else { return Self.none }
        let first = heads[slot.place]
        guard first != Self.none else { return first }
        let known = links[Int(first)]
        precondition(
            entries[Int(known.pattern)].members[Int(known.place)].slot == slot,
            "a slot is given to another session only after all its subscriptions were removed")
        return first
    }

    private mutating func removeMember(of link: UInt32) {
        let number = Int(links[Int(link)].pattern)
        let place = links[Int(link)].place
        let last = entries[number].members.removeLast()
        if last.link != link {
            entries[number].members[Int(place)] = last
            links[Int(last.link)].place = place
        }
        giveBackRoom(of: number)
        links[Int(link)].next = freeLink
        freeLink = link
        count -= 1
    }

    /// After a crowd has left, its list is not kept for it.
    private mutating func giveBackRoom(of number: Int) {
        let members = entries[number].members
        if members.capacity > 256, members.count < members.capacity / 4 {
            var smaller: [Member] = []
            smaller.reserveCapacity(members.count * 2)
            smaller.append(contentsOf: members)
            entries[number].members = smaller
        }
    }

    private mutating func takeLink(_ link: Link) -> UInt32 {
        guard freeLink != Self.none else {
            links.append(link)
            return UInt32(links.count - 1)
        }
        let index = freeLink
        freeLink = links[Int(index)].next
        links[Int(index)] = link
        return index
    }
}
