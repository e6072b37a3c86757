import DequeModule

/// A session of one shard as its topic index knows it: four bytes, where a `SessionID` has 16 and has to be hashed.
///
/// 24 bits are the place in the shard's table, 8 count how often the place was given away. So a fan-out that began
/// before a session ended finds nobody under its slot, and not the next session.
@usableFromInline package struct SubscriberSlot: Hashable, Sendable {
    /// Sessions of one shard: 16 million.
    package static let countMax = 1 << 24

    @usableFromInline let value: UInt32

    package init(place: Int, generation: UInt8) {
        precondition(place >= 0 && place < Self.countMax, "a slot's place has 24 bits")
        value = UInt32(generation) << 24 | UInt32(place)
    }

    /// Where the session stands in tables of its shard.
    @inlinable package var place: Int { Int(value & 0xFF_FFFF) }
    @inlinable package var generation: UInt8 { UInt8(value >> 24) }
}

/// What each slot of a shard stands for. Places are given away again in the order in which they became free, so the
/// generations of one place last long: a stale slot could only be taken for another after 256 rounds of the whole list,
/// which no fan-out lives to see.
///
/// Memory: the element (8 bytes for a class) and one byte for each place that was ever taken at once. Looking up is
/// inlinable: without being specialized it would cost a fan-out more than all else but the system call.
@usableFromInline package struct SlotTable<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var generations: [UInt8] = []
    private var free: Deque<UInt32> = []
    private let countMax: Int

    package init(countMax: Int = SubscriberSlot.countMax) {
        precondition(countMax > 0 && countMax <= SubscriberSlot.countMax, "a slot's place has 24 bits")
        self.countMax = countMax
    }

    package var count: Int { elements.count - free.count }

    /// - Returns: nil when the table is full, which the shard's share of `Limits.connectionsMax` comes before.
    package mutating func insert(_ element: Element) -> SubscriberSlot? {
        // As long as there is room for new places, a few free ones wait, so that one is not given on at once.
        let isWaiting = free.count <= min(64, elements.count) && elements.count < countMax
        guard !isWaiting, let place = free.popFirst() else {
            guard elements.count < countMax else { return nil }
            elements.append(element)
            generations.append(0)
            return SubscriberSlot(place: elements.count - 1, generation: 0)
        }
        elements[Int(place)] = element
        return SubscriberSlot(place: Int(place), generation: generations[Int(place)])
    }

    /// - Returns: what was there; nil when the slot was given back before.
    @discardableResult
    package mutating func remove(_ slot: SubscriberSlot) -> Element? {
        guard let element = self[slot] else { return nil }
        elements[slot.place] = nil
        generations[slot.place] &+= 1
        free.append(UInt32(slot.place))
        return element
    }

    @inlinable package subscript(slot: SubscriberSlot) -> Element? {
        guard slot.place < elements.count, generations[slot.place] == slot.generation else { return nil }
        return elements[slot.place]
    }
}
