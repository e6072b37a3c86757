import Common
import DequeModule

/// Holds news of coming and going back for a moment, so that a quick reconnect is not told as an end. Pure.
///
/// What it promises, together with the fence that asks the route store before each call: for one client and device the
/// epochs of what is told never fall, in the order of telling, also over nodes.
///
/// - An `online` waits as long as an `offline`. A node that is about to tell an offline has asked the store shortly
///   before; a claim made after that question is told only a settling time later, and so after the offline.
/// - An online whose session ended before it was told is not told; its offline is. So whoever leaves out old news
///   because of a newer session can rely on it that the newer session's news follows.
/// - A session that a newer one displaced is not told as an end: the newer one is the news.
struct PresenceHold {
    private struct Key: Hashable {
        let client: ClientID
        let device: DeviceID
    }

    private struct Entry {
        let notice: PresenceNotice
        let due: ContinuousClock.Instant
    }

    private struct Newest {
        let key: Key
        let epoch: Epoch
        let until: ContinuousClock.Instant
    }

    private let settle: Duration
    private let countMax: Int
    private var entries: Deque<Entry> = []
    /// Sessions whose online waits here.
    private var untold: Set<SessionID> = []
    /// The last claim of each device, as long as older news about it may come due.
    private var newest: [Key: Epoch] = [:]
    private var forgetting: Deque<Newest> = []

    /// - Parameter countMax: beyond so many the oldest give way: the queue behind takes no more either. Of twice as
    ///   many the last claim is remembered.
    init(settle: Duration, countMax: Int) {
        self.settle = settle
        self.countMax = countMax
    }

    var count: Int { entries.count }
    /// Devices whose last claim is known here.
    var remembered: Int { newest.count }
    var nextDue: ContinuousClock.Instant? { entries.first?.due }

    /// - Returns: how many gave way.
    mutating func came(_ notice: PresenceNotice, now: ContinuousClock.Instant) -> Int {
        precondition(notice.isOnline, "who came is online")
        untold.insert(notice.session)
        return add(notice, now: now)
    }

    /// A session ended, or a claim took its place for want of room.
    /// - Parameter isTold: false when a newer session of the same device tells its own news.
    /// - Returns: how many gave way.
    mutating func left(_ notice: PresenceNotice, isTold: Bool, now: ContinuousClock.Instant) -> Int {
        untold.remove(notice.session)
        guard isTold, !isOld(notice) else { return 0 }
        return add(notice, now: now)
    }

    /// Takes what has settled, oldest first.
    mutating func takeSettled(now: ContinuousClock.Instant) -> [PresenceNotice] {
        var settled: [PresenceNotice] = []
        while let first = entries.first, first.due <= now {
            entries.removeFirst()
            if isTold(first.notice) { settled.append(first.notice) }
        }
        while let first = forgetting.first, first.until <= now {
            forget(forgetting.removeFirst())
        }
        return settled
    }

    /// Takes everything: the node stops.
    mutating func takeAll() -> [PresenceNotice] {
        let notices = entries.map(\.notice)
        entries = []
        return notices.filter { isTold($0) }
    }

    private mutating func add(_ notice: PresenceNotice, now: ContinuousClock.Instant) -> Int {
        let key = Key(client: notice.client, device: notice.device)
        if !isOld(notice) {
            newest[key] = notice.epoch
            // Twice the time: what is in here at this moment, or comes within it, is old news after that.
            forgetting.append(Newest(key: key, epoch: notice.epoch, until: now + settle * 2))
            // In a crowd some are forgotten sooner; the route store, asked before each call, remembers them.
            if forgetting.count > 2 * countMax { forget(forgetting.removeFirst()) }
        }
        entries.append(Entry(notice: notice, due: now + settle))
        guard entries.count > countMax else { return 0 }
        let oldest = entries.removeFirst()
        untold.remove(oldest.notice.session)
        return 1
    }

    private mutating func forget(_ old: Newest) {
        if newest[old.key] == old.epoch { newest[old.key] = nil }
    }

    private func isOld(_ notice: PresenceNotice) -> Bool {
        newest[Key(client: notice.client, device: notice.device)].map { notice.epoch < $0 } ?? false
    }

    private mutating func isTold(_ notice: PresenceNotice) -> Bool {
        if notice.isOnline, untold.remove(notice.session) == nil { return false }
        return !isOld(notice)
    }
}
