import Common
import DequeModule
import NIOCore
import PushCore

/// Everything that belongs to one event loop: its connections, the table of its sessions, its timer wheel, its
/// counters.
///
/// Confined to `loop`: every property is touched from that loop only, which `@unchecked Sendable` rests on. Other
/// threads come in through `Hub`, in batches.
final class Shard: @unchecked Sendable {
    /// Fan-out runs in slices, so that reads and heartbeats of others never wait long.
    static let sliceSize = 256

    let index: UInt8
    let loop: any EventLoop
    let rules: SessionRules
    let heartbeat: Duration
    let selector: FrontendSelector
    /// Work that leaves the loop: verifying, claiming, forwarding.
    let desk: LoginDesk
    let inboxes: InboxDesk
    var acknowledgements = Acknowledgements()
    var recent = RecentDeliveries()

    var counters = ShardCounters()
    private(set) var sessions: [SessionID: SessionHandler] = [:]
    /// Sessions whose claim is on its way: the store, and through it the other nodes, may know them before we do.
    private var pending: [SessionID: PendingLogin] = [:]
    /// The node leaves: whoever says hello now is sent elsewhere.
    private var isStopping = false
    /// Sessions without a token: nobody's, so in no bucket and without a route.
    private(set) var anonymous = 0
    /// Sessions per bucket, to compare with the route store.
    private var bucketCounts = [Int32](repeating: 0, count: Bucket.count)
    private var wheel: TimerWheel<SessionHandler>
    private var unflushed: [SessionHandler] = []
    /// What is being delivered, oldest first.
    var fanOuts: Deque<FanOut> = []
    /// A slice is being served, or the next one is called for.
    var isServing = false
    private(set) var bell: SliceBell?

    let topicDesk: TopicDesk
    let publisher: DevicePublisher
    /// Of this node.
    let shardCount: Int
    /// Who is subscribed to what; sessions stand in `slots` from their first subscription on.
    var topics: TopicIndex
    var slots = SlotTable<SessionHandler>()
    var ways = DirectWays()
    var topicQueue = TopicQueue<Published>()
    /// Counts on with every subscription that is taken back.
    var unsubscribeCount: UInt32 = 0
    /// Pushes to everyone that are paced and under way, each under a number.
    var paced: [UInt64: EveryoneFanOut] = [:]
    var pacedNumber: UInt64 = 0

    private var random = SystemRandomNumberGenerator()
    private var worstLag: TimeAmount = .zero
    private var nextTick: NIODeadline = .now()
    private var ticking: RepeatedTask?

    init(
        index: UInt8, of shardCount: Int, loop: any EventLoop, settings: SessionSettings, desk: LoginDesk,
        inboxes: InboxDesk, topicDesk: TopicDesk, publisher: DevicePublisher
    ) {
        self.index = index
        self.shardCount = shardCount
        self.topicDesk = topicDesk
        self.publisher = publisher
        topics = TopicIndex(patternsPerSessionMax: settings.rules.topicsPerSessionMax)
        self.loop = loop
        self.desk = desk
        self.inboxes = inboxes
        rules = settings.rules
        heartbeat = settings.heartbeat
        selector = settings.selector
        wheel = TimerWheel(tick: .milliseconds(250), slotCount: 256, now: .now())
    }

    // MARK: Time

    /// Starts turning the wheel.
    func start() {
        loop.preconditionInEventLoop()
        nextTick = .now() + wheel.tick
        ticking = loop.scheduleRepeatedTask(initialDelay: wheel.tick, delay: wheel.tick) { [self] _ in turnWheel() }
        bell = SliceBell.hang(on: loop) { [self] in serveFanOuts() }
    }

    private func turnWheel() {
        let now = NIODeadline.now()
        worstLag = max(worstLag, now - nextTick)
        var due: [SessionHandler] = []
        wheel.advance(to: now) { _, handler, slot in
            guard handler.wheelSlot == slot else { return }
            handler.wheelSlot = nil
            due.append(handler)
        }
        for handler in due {
            handler.deadlineReached(now: now)
            schedule(handler)
        }
        nextTick = .now() + wheel.tick
    }

    func stop() {
        loop.preconditionInEventLoop()
        ticking?.cancel()
        ticking = nil
        bell?.takeDown()
        bell = nil
    }

    /// Makes sure that the handler is asked at its next deadline.
    func schedule(_ handler: SessionHandler) {
        guard let deadline = handler.nextDeadline else { return }
        // A slot that comes before the deadline will do: the handler is asked there and goes on from then.
        if let slot = handler.wheelSlot, slot <= deadline + wheel.tick { return }
        handler.wheelSlot = wheel.insert(handler, at: deadline)
    }

    /// Worst lateness of the wheel since the last call.
    func takeWorstLag() -> TimeAmount {
        defer { worstLag = .zero }
        return worstLag
    }

    // MARK: Connections

    func connectionOpened(_ handler: SessionHandler) {
        counters.connections += 1
        schedule(handler)
    }

    func connectionClosed() { counters.connections -= 1 }

    /// What is written in this turn of the loop leaves at its end, in one system call for each connection.
    func flushLater(_ handler: SessionHandler) {
        unflushed.append(handler)
        if unflushed.count == 1 { loop.execute { [self] in flushWritten() } }
    }

    func flushWritten() {
        guard !unflushed.isEmpty else { return }
        let handlers = unflushed
        unflushed.removeAll(keepingCapacity: handlers.count <= Self.sliceSize)
        for handler in handlers { handler.flush() }
    }

    // MARK: Sessions

    /// Sessions of clients.
    var online: Int { sessions.count - anonymous }

    func sessionBegan(_ handler: SessionHandler, _ identity: SessionIdentity) {
        sessions[identity.session] = handler
        count(identity, 1)
        counters.logins += 1
    }

    func sessionEnded(_ ending: Ending) {
        counters.count(ending)
        guard let identity = ending.identity else { return }
        if sessions.removeValue(forKey: identity.session) != nil { count(identity, -1) }
        desk.release(identity, endedFor: ending.reason)
    }

    private func count(_ identity: SessionIdentity, _ change: Int) {
        if identity.isAnonymous {
            anonymous += change
        } else {
            bucketCounts[Int(identity.bucket.index)] += Int32(change)
        }
    }

    /// A session without a token: nothing is verified and no route is claimed, so it begins at once.
    func enter(_ handler: SessionHandler, _ permissions: SessionPermissions) {
        guard !isStopping else { return handler.close(for: .nodeStopping) }
        let session = SessionID(shard: index, random: (random.next(), random.next()))
        handler.loginFinished(
            .granted(
                .anonymous(session, on: desk.incarnation, permissions: permissions), tokenEnd: .distantFuture,
                inbox: .none))
    }

    /// Verifies the token and claims the route, away from the loop, and tells the handler.
    func login(_ handler: SessionHandler, token: String, device: DeviceID?, takesInbox: Bool) {
        guard !isStopping else { return handler.close(for: .nodeStopping) }
        let session = SessionID(shard: index, random: (random.next(), random.next()))
        pending[session] = PendingLogin()
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let outcome = await desk.login(session: session, token: token, device: device, takesInbox: takesInbox)
            loop.execute { [self] in
                let login = pending.removeValue(forKey: session)
                handler.value.loginFinished(outcome)
                if let reason = isStopping ? .nodeStopping : login?.end(for: handler.value.identity) {
                    handler.value.close(for: reason)
                }
            }
        }
    }

    /// Takes no more logins.
    func stopLogins() { isStopping = true }

    /// Logins that were begun and are not decided.
    var pendingCount: Int { pending.count }

    func renew(_ handler: SessionHandler, identity: SessionIdentity, token: String, ref: Reference?) {
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let result = await desk.renew(identity, token: token)
            loop.execute {
                switch result {
                case .success(let renewal):
                    handler.value.renewed(renewal, ref: ref)
                case .failure(let error):
                    handler.value.answer(.error(error.code, message: error.message, ref: ref))
                }
            }
        }
    }

    func forward(
        _ handler: SessionHandler, from identity: SessionIdentity, to client: ClientID, data: ByteBuffer,
        ref: Reference?
    ) {
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let result = await desk.forward(from: identity, to: client, data: data)
            loop.execute {
                switch result {
                case .success(let delivered): handler.value.answer(.ok(ref: ref, delivered: delivered))
                case .failure(let error):
                    handler.value.answer(.error(error.code, message: error.message, ref: ref))
                }
            }
        }
    }

    // MARK: What others ask, on the loop

    /// - Returns: whether the session was here.
    func close(_ session: SessionID, for reason: CloseReason) -> Bool {
        guard let handler = sessions[session] else {
            // Displaced between its claim and its welcome: it is closed as soon as it is a session.
            pending[session]?.reason = reason
            return pending[session] != nil
        }
        handler.close(for: reason)
        return true
    }

    /// Ends up to so many sessions, and tells how many are left.
    func closeSome(_ count: Int, for reason: CloseReason) -> Int {
        for handler in Array(sessions.values.prefix(count)) { handler.close(for: reason) }
        return sessions.count
    }

    func closeRevoked(_ revoked: [ClientID: Generation]) {
        for session in pending.keys { pending[session]?.revocations.append(revoked) }
        let ended = sessions.values.filter { handler in
            guard let identity = handler.identity, let generation = revoked[identity.client] else { return false }
            return identity.generation < generation
        }
        for handler in ended { handler.close(for: .tokenRevoked) }
    }

    var countsByBucket: [Int32] { bucketCounts }

    func identities(in buckets: Set<Bucket>) -> [SessionIdentity] {
        sessions.values.compactMap { handler in
            handler.identity.flatMap { !$0.isAnonymous && buckets.contains($0.bucket) ? $0 : nil }
        }
    }

    /// Sessions that the store was away for when they came.
    func unclaimed() -> [(SessionIdentity, takesInbox: Bool)] {
        sessions.values.compactMap { handler in
            handler.identity.flatMap { identity in
                guard identity.route.epoch == .none, !identity.isAnonymous else { return nil }
                return (identity, handler.machine.takesInbox)
            }
        }
    }

    /// Whether the store may rightly know this session.
    func knows(_ session: SessionID) -> Bool { sessions[session] != nil || pending[session] != nil }

    /// A session was claimed later than it came; if it ended meanwhile, its route is given back.
    func claimed(_ identity: SessionIdentity, inbox: InboxOpening) {
        guard let handler = sessions[identity.session] else { return desk.release(identity, endedFor: .connectionLost) }
        handler.claimed(identity.route.epoch, inbox: inbox)
    }
}

/// What happened to a session between its claim and its welcome.
private struct PendingLogin {
    var reason: CloseReason?
    /// Whose it is, is not known until the token is verified, so all revocations of that time are kept.
    var revocations: [[ClientID: Generation]] = []

    /// Why the session must end right after it began.
    func end(for identity: SessionIdentity?) -> CloseReason? {
        guard let identity else { return nil }
        let isRevoked = revocations.contains { revoked in
            revoked[identity.client].map { identity.generation < $0 } ?? false
        }
        return isRevoked ? .tokenRevoked : reason
    }
}
