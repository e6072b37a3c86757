/// What one topic keeps, in memory: the newest messages by count and age, and the counting, which goes on when they are
/// gone. Times are Unix milliseconds of the store's clock, which the caller passes in.
struct TopicHistory {
    private struct Entry {
        let appendedAt: UInt64
        let message: TopicMessage
    }

    let epoch: UInt64
    /// The last offset that was given.
    private(set) var head: UInt64 = 0
    /// Entries before `start` have given way; they are moved out now and then, not one by one.
    private var entries: [Entry?] = []
    private var start = 0
    /// When the counting itself may be forgotten.
    private(set) var forgottenAt: UInt64 = 0
    private var ageMax: UInt64 = 0

    init(epoch: UInt64) { self.epoch = epoch }

    /// - Returns: the offset of the first of them.
    mutating func append(_ messages: [TopicMessage], keeping rule: TopicRule.History, now: UInt64) -> UInt64 {
        let next = head + 1
        for message in messages { entries.append(Entry(appendedAt: now, message: message)) }
        head += UInt64(messages.count)
        ageMax = rule.ageMax.wholeMilliseconds
        forgottenAt = now + rule.countingKept.wholeMilliseconds
        drop(max(0, entries.count - start - rule.countMax))
        dropOld(now: now)
        return next
    }

    /// Lets go of what is too old by the rule it was published with.
    mutating func dropOld(now: UInt64) { drop(firstFresh(now: now, ageMax: ageMax) - start) }

    private mutating func drop(_ count: Int) {
        for index in start..<start + count { entries[index] = nil }
        start += count
        guard start > 32, start > entries.count / 2 else { return }
        entries.removeFirst(start)
        start = 0
    }

    /// The index of the first entry that is not older than that.
    private func firstFresh(now: UInt64, ageMax: UInt64) -> Int {
        let since = now - min(now, ageMax)
        return entries[start...].firstIndex { ($0?.appendedAt ?? 0) >= since } ?? entries.count
    }

    func page(
        after offset: UInt64?, countMax: Int, keeping rule: TopicRule.History, now: UInt64
    ) -> HistoryPage<TopicMessage> {
        let visible = max(
            firstFresh(now: now, ageMax: rule.ageMax.wholeMilliseconds), entries.count - rule.countMax)
        /// The offset of the entry at index 0.
        let base = head + 1 - UInt64(entries.count)
        let first = base + UInt64(visible)
        guard let offset, offset < head else {
            return HistoryPage(epoch: epoch, first: first, head: head, entries: [], isMore: false)
        }
        var index = Int(max(offset + 1, first) - base)
        var page: [HistoryPage<TopicMessage>.Entry] = []
        var bytes = 0
        while index < entries.count, page.count < max(1, countMax), let message = entries[index]?.message {
            bytes += message.data.count
            guard page.isEmpty || bytes <= TopicRule.History.pageBytesMax else { break }
            page.append(HistoryPage.Entry(offset: base + UInt64(index), element: message))
            index += 1
        }
        return HistoryPage(epoch: epoch, first: first, head: head, entries: page, isMore: index < entries.count)
    }
}

extension TopicRule.History {
    /// Bytes of data in one page, unless a single message has more: what a node holds for a subscriber that catches up.
    package static let pageBytesMax = 256 << 10

    /// How long the counting outlives the last publish: the messages, and a week, so that a subscriber who comes back
    /// after a holiday and has missed nothing is not told of a gap. Some 150 bytes.
    package var countingKept: Duration { ageMax + .seconds(7 * 24 * 3_600) }
}
