import Common
import NIOCore
import NodeRPC
import PushCore

/// All sessions of a node: the one place where event loops are crossed, in batches. A session's id names its loop, so
/// nothing is looked up to find it and no lock is taken on the way.
final class Hub: NodeService, Sendable {
    let incarnation: Incarnation
    let shards: [Shard]
    let intake: PublishIntake
    /// Is told how long each publish took from its arrival until it was handed to all subscribers.
    let fanOutTime: (@Sendable (Duration) -> Void)?

    /// - Parameter loops: at most 256, since a session id names its loop in one byte.
    init(
        incarnation: Incarnation, loops: [any EventLoop], settings: SessionSettings, desk: LoginDesk,
        inboxes: InboxDesk, topicDesk: TopicDesk, publisher: DevicePublisher,
        fanOutTime: (@Sendable (Duration) -> Void)? = nil
    ) {
        precondition((1...256).contains(loops.count), "a node has 1 to 256 event loops")
        self.incarnation = incarnation
        self.fanOutTime = fanOutTime
        let shards = loops.enumerated().map { index, loop in
            Shard(
                index: UInt8(index), of: loops.count, loop: loop, settings: settings, desk: desk, inboxes: inboxes,
                topicDesk: topicDesk, publisher: publisher)
        }
        self.shards = shards
        intake = PublishIntake(loop: loops[0], rules: topicDesk.rules) { work, count, answer in
            Self.forward(work, of: count, to: shards, answer)
        }
    }

    func start() async { await onEach { $0.start() } }
    func stop() async { await onEach { $0.stop() } }

    /// Runs a piece of work on every shard and gathers the results, in the order of the shards.
    @discardableResult
    func onEach<Value: Sendable>(_ work: @escaping @Sendable (Shard) -> Value) async -> [Value] {
        let futures = shards.map { shard in shard.loop.submit { work(shard) } }
        var values: [Value] = []
        for future in futures {
            // A loop that shuts down takes its sessions with it: there is nothing to add.
            if let value = try? await future.get() { values.append(value) }
        }
        return values
    }

    // MARK: NodeService

    func deliver(_ delivery: Delivery) async -> [DeliveryOutcome] {
        var outcomes = [DeliveryOutcome](repeating: .gone, count: delivery.sessions.count)
        var targets = [[ListFanOut.Target]](repeating: [], count: shards.count)
        for (index, session) in delivery.sessions.enumerated() where Int(session.shard) < shards.count {
            targets[Int(session.shard)].append(ListFanOut.Target(index: index, session: session))
        }
        let message = Message(
            id: delivery.message, timestampMilliseconds: delivery.timestampMilliseconds,
            data: ByteBuffer(bytes: delivery.data), from: delivery.from, collapseKey: delivery.collapseKey)
        let futures = zip(shards, targets).filter { !$1.isEmpty }.map { shard, targets in
            let promise = shard.loop.makePromise(of: [ListFanOut.Result].self)
            shard.loop.execute {
                shard.deliver(.list(ListFanOut(message, of: delivery, to: targets, promise: promise)))
            }
            return promise.futureResult
        }
        for future in futures {
            guard let results = try? await future.get() else { continue }
            for result in results { outcomes[result.index] = DeliveryOutcome(result.verdict) }
        }
        return outcomes
    }

    func kick(_ sessions: [SessionID], for reason: CloseReason) async -> Int {
        await onEach { shard in
            sessions.count { $0.shard == shard.index && shard.close($0, for: reason) }
        }.reduce(0, +)
    }

    // MARK: What the node's keepers ask

    /// Sessions of clients.
    func online() async -> Int { await onEach(\.online).reduce(0, +) }
    func anonymous() async -> Int { await onEach(\.anonymous).reduce(0, +) }

    func counters() async -> ShardCounters {
        await onEach(\.counters).reduce(into: ShardCounters()) { $0.add($1) }
    }

    func sessionCounts() async -> [Bucket: Int] {
        var counts: [Bucket: Int] = [:]
        for ofShard in await onEach(\.countsByBucket) {
            for (index, count) in ofShard.enumerated() where count > 0 {
                counts[Bucket(UInt16(index)), default: 0] += Int(count)
            }
        }
        return counts
    }

    func identities(in buckets: Set<Bucket>) async -> [SessionIdentity] {
        await onEach { $0.identities(in: buckets) }.flatMap { $0 }
    }

    /// Sessions that the store was away for when they came, and whether they take stored messages.
    func unclaimed() async -> [(SessionIdentity, takesInbox: Bool)] { await onEach { $0.unclaimed() }.flatMap { $0 } }

    /// Sessions that take stored messages and that the store knows.
    func claimedIdentities() async -> [SessionIdentity] { await onEach { $0.claimedIdentities() }.flatMap { $0 } }

    /// Tells sessions where their clients' inboxes end.
    func reach(_ heads: [(session: SessionID, head: StreamPosition)]) async {
        await onEach { shard in
            for (session, head) in heads where session.shard == shard.index { shard.reach(session, head) }
        }
    }

    /// Those of the entries whose session is not here and not on its way.
    func unknown(_ entries: [ClientRoute]) async -> [ClientRoute] {
        await onEach { shard in
            entries.filter { $0.route.session.shard == shard.index && !shard.knows($0.route.session) }
        }.flatMap { $0 } + entries.filter { Int($0.route.session.shard) >= shards.count }
    }

    func claimed(_ identity: SessionIdentity, inbox: InboxOpening) async {
        let shard = shards[Int(identity.session.shard)]
        try? await shard.loop.submit { shard.claimed(identity, inbox: inbox) }.get()
    }
}

extension DeliveryOutcome {
    fileprivate init(_ verdict: DeliveryVerdict) {
        switch verdict {
        case .written: self = .written
        case .refused: self = .refused
        case .gone: self = .gone
        }
    }
}
