import Common
import DequeModule

/// What one publisher has for one life of a node: a queue, and the calls under way. Pure.
///
/// The calls of a link are numbered from 1 and the node puts them right, so two may be under way at once: one travels
/// while the other is worked on. The node answers when it has handed everything over; waiting for that is the back
/// pressure.
///
/// A call that fails leaves it unknown what its messages have reached. They are not sent again: live messages come at
/// most once, and who follows a topic with history asks for what is missing. Since the failed number may never arrive,
/// the link goes on under a new id from 1, once the calls of the old one have all ended; otherwise what the node holds
/// of the old one could be overtaken. What this cannot see is a call that was given up here and is carried out by a
/// node that wakes up later; its messages may come after newer ones then, and count as failed.
///
/// A node that failed its last call is *suspect* until one succeeds: it gets one call at a time, and only one batch
/// waits for it. So a node that hangs holds back few messages, whatever is published meanwhile, and fewer receipts.
struct NodeLink<Ticket: Sendable>: Sendable {
    struct Bounds: Sendable {
        var callsMax = 2
        /// Messages that wait. A second's worth of what a node takes in small messages; beyond, the node has failed.
        var waitingMax = 20_000
        /// Half of what may be under way in all, so that one slow node leaves room for the others.
        var waitingBytesMax = 32 << 20
        var waitingWhileSuspectMax = PublishBatch.publicationsMax

        init() {}
    }

    struct Item: Sendable {
        let publication: Publication
        let ticket: Ticket
    }

    struct Call: Sendable {
        let batch: PublishBatch
        /// In the order of the publications.
        let tickets: [Ticket]
    }

    /// As the registry had it last.
    var member: Member
    private let bounds: Bounds
    /// Nil until the next call draws a new one.
    private var id: UInt64?
    private var lastNumber: UInt64 = 0
    private var waiting: Deque<Item> = []
    private var waitingBytes = 0
    private(set) var callsUnderWay = 0
    private(set) var isSuspect = false

    init(to member: Member, bounds: Bounds = Bounds()) {
        self.member = member
        self.bounds = bounds
    }

    var waitingCount: Int { waiting.count }

    /// Nothing waits and nothing is under way: the link may go, another would begin with an id of its own.
    var isIdle: Bool { waiting.isEmpty && callsUnderWay == 0 }

    /// - Returns: false when there is no room: the node has failed this message.
    mutating func add(_ item: Item) -> Bool {
        let cost = PublishCost.bytes(of: item.publication.message)
        guard waiting.count < (isSuspect ? bounds.waitingWhileSuspectMax : bounds.waitingMax),
            waiting.isEmpty || waitingBytes + cost <= bounds.waitingBytesMax
        else { return false }
        waiting.append(item)
        waitingBytes += cost
        return true
    }

    /// The next call, if one may be made; asked until it is nil.
    /// - Parameter draw: gives the ids of links, random ones: a node keeps those of all publishers apart by them.
    mutating func nextCall(drawing draw: () -> UInt64) -> Call? {
        guard !waiting.isEmpty, callsUnderWay < (isSuspect ? 1 : bounds.callsMax) else { return nil }
        if id == nil {
            guard callsUnderWay == 0 else { return nil }
            id = draw()
            lastNumber = 0
        }
        guard let id else { return nil }
        let count = PublishBatch.fitting(waiting) { $0.publication.message.data.count }
        let items = waiting.prefix(count)
        let call = Call(
            batch: PublishBatch(link: id, number: lastNumber + 1, publications: items.map(\.publication)),
            tickets: items.map(\.ticket))
        waitingBytes -= items.reduce(0) { $0 + PublishCost.bytes(of: $1.publication.message) }
        waiting.removeFirst(count)
        lastNumber += 1
        callsUnderWay += 1
        return call
    }

    /// A call was answered.
    mutating func answered() {
        callsUnderWay -= 1
        isSuspect = false
    }

    /// A call failed.
    /// - Returns: the tickets of messages that no longer wait for this node: it has failed them, too.
    mutating func failed(_ code: FailureCode) -> [Ticket] {
        callsUnderWay -= 1
        // Another life of the node counts from its own beginning, and waits for nothing of ours.
        if code != .notFound { id = nil }
        isSuspect = true
        let excess = waiting.count - bounds.waitingWhileSuspectMax
        guard excess > 0 else { return [] }
        let given = waiting.suffix(excess)
        waitingBytes -= given.reduce(0) { $0 + PublishCost.bytes(of: $1.publication.message) }
        let tickets = given.map(\.ticket)
        waiting.removeLast(excess)
        return tickets
    }
}
