import Common
import NIOCore
import NodeRPC
import PushCore

/// Where published messages come into a node, before they are shared among its shards: calls of one publisher are put
/// into their order, then the messages of a topic that keeps a history into the order of their places, and what a topic
/// merges is gathered until its window ends.
///
/// Confined to `loop`, which `@unchecked Sendable` rests on. One loop for all of them costs a message some hundred
/// nanoseconds once, however many subscribers it has, and needs no lock.
final class PublishIntake: @unchecked Sendable {
    /// What the shards are given, in one go.
    struct Work: Sendable {
        enum Kind: Sendable {
            /// To the subscribers of a topic.
            case message(Topic, Message)
            /// It waits to be merged with others: only whom it is for is counted.
            case count(Topic)
            case merged(Topic, [Message], leftOut: Int)
            case everyone(Message, perSecondMax: UInt32?)
        }

        let kind: Kind
        /// Its place in the call that waits to hear of it; nil when none does.
        let index: Int?
    }

    struct Counters: Sendable {
        var published = 0
        /// Messages that came after their turn was given up, and were not delivered.
        var tooLate = 0
        var merged = 0
        var leftOut = 0
    }

    typealias Answer = @Sendable (Result<[PublishOutcome], WindfireError>) -> Void
    /// Hands work of one call, or of none, to all shards.
    typealias Forward = @Sendable ([Work], _ count: Int, Answer?) -> Void

    private struct Arrived {
        let batch: PublishBatch
        let answer: Answer
    }

    private struct Placed {
        let topic: Topic
        let message: Message
        let call: OpenCall
        let index: Int
    }

    private struct Counting: Hashable {
        let topic: Topic
        let epoch: UInt64
    }

    /// A call some of whose messages may wait for their turn, while others go on.
    private final class OpenCall {
        var outcomes: [PublishOutcome]
        var open: Int
        let answer: Answer

        init(count: Int, answer: @escaping Answer) {
            outcomes = Array(repeating: .none, count: count)
            open = count
            self.answer = answer
        }
    }

    let loop: any EventLoop
    private let rules: TopicRules
    private let forward: Forward
    private var links = PublishOrder<UInt64, Arrived>(start: .one)
    private var places = PublishOrder<Counting, Placed>(start: .anywhere)
    private var windows: [Topic: MergeWindow<Message>] = [:]
    private var random = SystemRandomNumberGenerator()
    private var patience: Scheduled<Void>?
    private(set) var counters = Counters()

    init(loop: any EventLoop, rules: TopicRules, forward: @escaping Forward) {
        self.loop = loop
        self.rules = rules
        self.forward = forward
    }

    // MARK: The order of calls

    func take(_ batch: PublishBatch, _ answer: @escaping Answer) {
        loop.preconditionInEventLoop()
        let now = loop.now
        let arrived = Arrived(batch: batch, answer: answer)
        switch links.arrived(arrived, batch.number, of: batch.link, now: now) {
        case .deliver: admit(arrived, now)
        case .held: break
        case .duplicate, .tooLate, .beforeStart:
            counters.tooLate += batch.publications.count
            answer(.failure(WindfireError(.conflict, "the turn of this call has passed")))
        }
        while let next = links.next(of: batch.link) { admit(next, now) }
        watchPatience()
    }

    /// Holes in the numbers are waited for, but not for long.
    private func watchPatience() {
        let due = [links.nextDeadline, places.nextDeadline].compactMap { $0 }.min()
        guard let due, patience == nil else { return }
        patience = loop.scheduleTask(deadline: due) { [self] in
            patience = nil
            let now = loop.now
            for link in links.giveUp(now: now) {
                while let next = links.next(of: link) { admit(next, now) }
            }
            for counting in places.giveUp(now: now) { release(counting, now) }
            watchPatience()
        }
    }

    // MARK: The order of places

    /// A call whose turn it is. In the usual case all of its messages go on together.
    private func admit(_ arrived: Arrived, _ now: NIODeadline) {
        let publications = arrived.batch.publications
        counters.published += publications.count
        let isKept = publications.contains { $0.position != nil }
        guard isKept else {
            return forward(
                publications.indices.map { Work(kind: kind(of: publications[$0], now), index: $0) },
                publications.count, arrived.answer)
        }
        let call = OpenCall(count: publications.count, answer: arrived.answer)
        for (index, publication) in publications.enumerated() {
            guard case .topic(let topic) = publication.audience, let position = publication.position else {
                send(kind(of: publication, now), of: call, at: index)
                continue
            }
            let counting = Counting(topic: topic, epoch: position.epoch)
            let placed = Placed(
                topic: topic, message: Message(publication.message, in: topic, at: publication.position), call: call,
                index: index)
            switch places.arrived(placed, position.offset, of: counting, now: now) {
            case .deliver, .beforeStart: send(placed, now)
            case .held: break
            case .duplicate, .tooLate:
                counters.tooLate += 1
                settle(call, index, .none)
            }
            release(counting, now)
        }
    }

    private func release(_ counting: Counting, _ now: NIODeadline) {
        while let next = places.next(of: counting) { send(next, now) }
    }

    private func send(_ placed: Placed, _ now: NIODeadline) {
        send(merging(placed.message, in: placed.topic, now), of: placed.call, at: placed.index)
    }

    /// One message of a call whose others may still wait.
    private func send(_ kind: Work.Kind, of call: OpenCall, at index: Int) {
        let call = NIOLoopBound(call, eventLoop: loop)
        forward([Work(kind: kind, index: 0)], 1) { [self] result in
            let outcome = (try? result.get())?.first ?? .none
            loop.execute { [self] in settle(call.value, index, outcome) }
        }
    }

    private func settle(_ call: OpenCall, _ index: Int, _ outcome: PublishOutcome) {
        call.outcomes[index] = outcome
        call.open -= 1
        if call.open == 0 { call.answer(.success(call.outcomes)) }
    }

    // MARK: Merging

    private func kind(of publication: Publication, _ now: NIODeadline) -> Work.Kind {
        switch publication.audience {
        case .topic(let topic):
            merging(Message(publication.message, in: topic, at: publication.position), in: topic, now)
        case .everyone(let perSecondMax):
            .everyone(Message(publication.message, in: nil, at: nil), perSecondMax: perSecondMax)
        }
    }

    private func merging(_ message: Message, in topic: Topic, _ now: NIODeadline) -> Work.Kind {
        guard rules.mergesAny, let rule = rules.rule(for: topic)?.merge else { return .message(topic, message) }
        var window = windows[topic] ?? MergeWindow(rule)
        let offer = window.offer(message, bytes: message.data.readableBytes, now: now, random: &random)
        windows[topic] = window
        switch offer {
        case .opened(let end): loop.scheduleTask(deadline: end) { [self] in closeWindow(of: topic) }
        case .waits: break
        case .displaced(let count): counters.leftOut += count
        case .leftOut: counters.leftOut += 1
        }
        return .count(topic)
    }

    /// A window that is over is forgotten: the next message opens another.
    private func closeWindow(of topic: Topic) {
        guard var window = windows.removeValue(forKey: topic), let batch = window.takeAll() else { return }
        counters.merged += batch.elements.count
        forward([Work(kind: .merged(topic, batch.elements, leftOut: batch.leftOut), index: nil)], 0, nil)
    }
}
