// What the Redis scripts on inboxes do, as a value: one client's messages and how far its devices have come, with the
// rules of store, page and acknowledge. Where a rule changes here it changes in `RedisStore/Scripts/` too; the contract
// suite in TestKit runs on both.

/// The inbox of one client. Time comes in as an argument: Unix milliseconds of the store's clock.
struct InboxBox {
    struct Entry {
        let id: StreamPosition
        let message: StoredMessage
        /// Unix milliseconds.
        let end: UInt64
    }

    /// Oldest first.
    private(set) var entries: [Entry] = []
    private(set) var bytes = 0
    private(set) var marks = InboxMarks()
    /// What was stored and removed since it was last asked, for a journal.
    private var log: [LogEntry] = []

    enum LogEntry {
        case stored(StreamPosition, StoredMessage)
        case removed(StreamPosition)
    }

    /// How far before a push's own time its entry may lie, because clocks differ, ms.
    static let repeatMargin: UInt64 = 5 * 60 * 1000
    /// How many entries are looked at for a repeat, newest first.
    static let repeatLookMax = 200
    /// A device's last sign of life is noted again after this long, ms.
    static let seenGrain: UInt64 = 3600 * 1000

    mutating func takeLog() -> [LogEntry] {
        defer { log.removeAll() }
        return log
    }

    /// The last time anything was written for this client.
    var touchedAt: UInt64 { marks.devices.reduce(marks.last.milliseconds) { max($0, $1.seenAtMilliseconds) } }

    // MARK: Storing

    mutating func store(
        _ message: StoredMessage, isRepeat: Bool, sessions: [Route], now: UInt64, _ limits: Limits
    ) -> StoreResult {
        meet(sessions.map(\.device), now: now, limits)
        if isRepeat {
            if let index = index(of: message) {
                return .stored(
                    id: entries[index].id, previous: index > 0 ? entries[index - 1].id : nil, isRepeat: true,
                    sessions: sessions)
            }
            if let present = collapsed(by: message), entries[present].message.isNewer(than: message) {
                return .replaced
            }
        }
        let end = message.end(within: limits)
        guard end > now else { return .expired }
        if let older = collapsed(by: message), !isAcknowledgedByAll(entries[older].id) { remove(at: older) }
        makeRoom(for: message, now: now, limits)

        let previous = entries.last?.id
        let id = StreamPosition(
            milliseconds: max(now, marks.last.milliseconds), sequence: marks.last.sequence + 1)
        append(message, at: id, end: end)
        return .stored(id: id, previous: previous, isRepeat: false, sessions: sessions)
    }

    private mutating func append(_ message: StoredMessage, at id: StreamPosition, end: UInt64) {
        entries.append(Entry(id: id, message: message, end: end))
        bytes += message.data.count
        marks.last = max(marks.last, id)
        log.append(.stored(id, message))
    }

    private mutating func remove(at index: Int) {
        let entry = entries.remove(at: index)
        bytes -= entry.message.data.count
        log.append(.removed(entry.id))
    }

    private func index(of message: StoredMessage) -> Int? {
        let since = message.timestampMilliseconds - min(message.timestampMilliseconds, Self.repeatMargin)
        return entries.indices.suffix(Self.repeatLookMax).last {
            entries[$0].id.milliseconds >= since && entries[$0].message.push == message.push
        }
    }

    private func collapsed(by message: StoredMessage) -> Int? {
        guard let key = message.collapseKey else { return nil }
        return entries.lastIndex { $0.message.collapseKey == key }
    }

    /// Drops what is over at the head of the inbox, then what is too much.
    private mutating func makeRoom(for message: StoredMessage, now: UInt64, _ limits: Limits) {
        let kept = limits.inboxAcknowledgedKept.wholeMilliseconds
        while let first = entries.first {
            if first.end <= now || first.id.milliseconds + kept <= now && isAcknowledgedByAll(first.id) {
                remove(at: 0)
            } else if entries.count + 1 > limits.inboxMessagesMax
                || bytes + message.data.count > limits.inboxBytesMax
            {
                trim(first.id)
            } else {
                return
            }
        }
    }

    private mutating func trim(_ id: StreamPosition) {
        marks.trimmedUpTo = max(marks.trimmedUpTo, id)
        for index in marks.devices.indices {
            if let cursor = marks.devices[index].cursor, cursor < id { marks.devices[index].trimmed += 1 }
        }
        remove(at: 0)
    }

    // MARK: Reading

    /// A device has connected.
    mutating func open(
        _ device: DeviceID, wantsInbox: Bool, connected: [DeviceID], now: UInt64, _ limits: Limits
    ) -> InboxPage {
        guard wantsInbox else {
            note(device, now: now, connected: connected, limits) { ($0.cursor, $0.trimmed) = (nil, 0) }
            return .empty
        }
        let acknowledged = marks.acknowledged
        let mark = note(device, now: now, connected: connected, limits) { $0.cursor = $0.cursor ?? acknowledged }
        return page(after: mark.cursor ?? acknowledged, mark, now: now, limits)
    }

    /// What lies after a place, or after the device's cursor.
    mutating func read(
        for device: DeviceID, after position: StreamPosition?, now: UInt64, _ limits: Limits
    ) -> InboxPage {
        let mark = marks.devices.first { $0.device == device }
        return page(after: position ?? mark?.cursor ?? marks.acknowledged, mark, now: now, limits)
    }

    private mutating func page(
        after position: StreamPosition, _ mark: DeviceMark?, now: UInt64, _ limits: Limits
    ) -> InboxPage {
        var messages: [InboxEntry] = []
        var size = 0
        var isMore = false
        var expired: [Int] = []
        for (index, entry) in entries.enumerated() where entry.id > position {
            guard entry.end > now else {
                expired.append(index)
                continue
            }
            let isFull =
                messages.count >= limits.inboxPageMessagesMax
                || !messages.isEmpty && size + entry.message.data.count > limits.inboxPageBytesMax
            guard !isFull else {
                isMore = true
                break
            }
            size += entry.message.data.count
            let previous = messages.last?.id ?? (position == .start ? nil : position)
            messages.append(InboxEntry(id: entry.id, previous: previous, message: entry.message))
        }
        for index in expired.reversed() { remove(at: index) }
        return InboxPage(
            messages: messages, isMore: isMore, trimmed: mark.map { trimmed(of: $0, after: position) } ?? 0,
            upTo: marks.last == .start ? nil : marks.last)
    }

    /// The messages of a device that gave way and lie after a place. The count of those beyond its cursor is exact;
    /// for a place further on, the ids' running numbers say how many there can be at most.
    private func trimmed(of mark: DeviceMark, after position: StreamPosition) -> Int {
        guard marks.trimmedUpTo > position else { return 0 }
        let apart = marks.trimmedUpTo.sequence.subtractingReportingOverflow(position.sequence)
        return apart.overflow ? 0 : min(mark.trimmed, Int(clamping: apart.partialValue))
    }

    // MARK: Acknowledging

    mutating func acknowledge(
        _ device: DeviceID, upTo asked: StreamPosition, now: UInt64, _ limits: Limits
    ) -> AcknowledgeResult {
        guard marks.last > .start else { return .acknowledged(upTo: .start, first: [:]) }
        let position = min(asked, marks.last)
        let acknowledged = marks.acknowledged
        var mark = note(device, now: now, connected: [], limits) { $0.cursor = $0.cursor ?? acknowledged }
        guard position > mark.cursor ?? acknowledged else {
            return .acknowledged(upTo: mark.cursor ?? acknowledged, first: [:])
        }
        mark.trimmed = trimmed(of: mark, after: position)
        mark.cursor = position
        note(device, now: now, connected: [], limits) { $0 = mark }

        var first: [JobID: Int] = [:]
        if position > marks.acknowledged {
            for entry in entries where entry.id > marks.acknowledged && entry.id <= position {
                if let job = entry.message.job { first[job, default: 0] += 1 }
            }
            marks.acknowledged = position
        }
        return .acknowledged(upTo: position, first: first)
    }

    mutating func purge() -> Int {
        let count = entries.count
        while !entries.isEmpty { remove(at: entries.count - 1) }
        marks.acknowledged = marks.last
        for index in marks.devices.indices where marks.devices[index].cursor != nil {
            marks.devices[index].cursor = marks.last
            marks.devices[index].trimmed = 0
        }
        return count
    }

    var summary: InboxSummary {
        InboxSummary(
            count: entries.count, bytes: bytes, oldest: entries.first?.id,
            last: marks.last == .start ? nil : marks.last, acknowledged: marks.acknowledged,
            devices: marks.devices.compactMap { mark in
                mark.cursor.map {
                    InboxDevice(
                        device: mark.device, cursor: $0, trimmed: mark.trimmed,
                        seenAtMilliseconds: mark.seenAtMilliseconds)
                }
            })
    }

    // MARK: Devices

    private func isAcknowledgedByAll(_ id: StreamPosition) -> Bool {
        let cursors = marks.devices.compactMap(\.cursor)
        return !cursors.isEmpty && cursors.allSatisfy { $0 >= id }
    }

    /// Connected devices that are not known begin like new ones; those not seen for long are forgotten.
    private mutating func meet(_ connected: [DeviceID], now: UInt64, _ limits: Limits) {
        let acknowledged = marks.acknowledged
        for device in connected {
            let isKnown = marks.devices.contains { $0.device == device }
            note(device, now: now, connected: connected, limits) { mark in
                if !isKnown { mark.cursor = acknowledged }
            }
        }
        let forgotten = now - min(now, 2 * limits.inboxAge.wholeMilliseconds)
        marks.devices.removeAll { $0.seenAtMilliseconds < forgotten && !connected.contains($0.device) }
    }

    /// Changes what is known of a device, which becomes known by it.
    @discardableResult
    private mutating func note(
        _ device: DeviceID, now: UInt64, connected: [DeviceID], _ limits: Limits, _ change: (inout DeviceMark) -> Void
    ) -> DeviceMark {
        if let index = marks.devices.firstIndex(where: { $0.device == device }) {
            change(&marks.devices[index])
            if marks.devices[index].seenAtMilliseconds + Self.seenGrain <= now {
                marks.devices[index].seenAtMilliseconds = now
            }
            return marks.devices[index]
        }
        var mark = DeviceMark(device: device, cursor: nil, seenAtMilliseconds: now)
        change(&mark)
        while marks.devices.count >= max(1, limits.inboxDevicesMax) {
            // Who is connected stays; if all are, who came first goes.
            let away = marks.devices.indices.filter { !connected.contains(marks.devices[$0].device) }
            let oldest = (away.isEmpty ? Array(marks.devices.indices) : away).min {
                marks.devices[$0].seenAtMilliseconds < marks.devices[$1].seenAtMilliseconds
            }
            marks.devices.remove(at: oldest ?? 0)
        }
        marks.devices.append(mark)
        return mark
    }

    // MARK: A journal's changes

    mutating func restore(_ message: StoredMessage, at id: StreamPosition, _ limits: Limits) {
        if let index = entries.firstIndex(where: { $0.id >= id }) {
            guard entries[index].id != id else { return }
            entries.insert(Entry(id: id, message: message, end: message.end(within: limits)), at: index)
        } else {
            entries.append(Entry(id: id, message: message, end: message.end(within: limits)))
        }
        bytes += message.data.count
        marks.last = max(marks.last, id)
    }

    mutating func restoreRemoval(of id: StreamPosition) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        remove(at: index)
        log.removeAll()
    }

    mutating func restore(_ marks: InboxMarks) { self.marks = marks }
}

extension StoredMessage {
    /// By the time of the push, then by its id.
    fileprivate func isNewer(than other: StoredMessage) -> Bool {
        (timestampMilliseconds, push.high, push.low)
            > (other.timestampMilliseconds, other.push.high, other.push.low)
    }
}
