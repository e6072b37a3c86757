import Common
import NIOCore
import PushCore

/// The one channel handler of a connection: read, feed, switch, write. What to do is `SessionStateMachine`'s to say,
/// what bytes mean is the front-end's.
///
/// Belongs to one event loop and is touched only from it. Idle it is this object, its machine, and its front-end: the
/// rest of a torn read and the opening's state exist only while they are needed.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let shard: Shard
    var machine: SessionStateMachine
    var phase: Phase
    let isPlain: Bool
    /// What is spoken here whatever the first bytes are; nil where those decide.
    let spoken: SpokenProtocol?
    private(set) var context: ChannelHandlerContext?
    var wayOut = WayOut()
    /// What messages are written in; nil while none can be written.
    private(set) var encoding: EncodingKey?
    private(set) var traits = FrontendTraits.standard
    /// Bytes of an incomplete frame or request.
    var rest: ByteBuffer?
    /// The slot of the timer wheel that counts; this handler may stand in others too.
    var wheelSlot: NIODeadline?
    /// What the route store and the tables know this session as: set while it is live.
    private(set) var identity: SessionIdentity?
    private(set) var refusal: Refusal?
    /// Its place among the subscribers of its shard, from its first subscription on.
    var slot: SubscriberSlot?
    /// Topics that it is on its way into: what they kept is being replayed.
    var joins: TopicJoins?
    /// The shard's count when it last unsubscribed from anything.
    var lastUnsubscribe: UInt32 = 0
    /// Reading is paused until what was written is taken.
    private var waitsForWriting = false

    enum Phase {
        /// The first bytes decide the protocol; an HTTP head may need several reads.
        case opening
        case speaking(any Frontend)
        /// The last words are written; what still comes in is thrown away.
        case deaf
    }

    /// - Parameters:
    ///   - spoken: the one protocol of this port, if it has one.
    ///   - refusal: set when the listener takes no more connections: the first request is answered with it.
    ///   - isPlain: what is written here is what the socket sends: no TLS in between.
    init(shard: Shard, speaking spoken: SpokenProtocol? = nil, refusal: Refusal?, isPlain: Bool, now: NIODeadline) {
        self.shard = shard
        self.spoken = spoken
        self.refusal = refusal
        self.isPlain = isPlain
        machine = SessionStateMachine(rules: shard.rules, acceptedAt: now)
        phase = .opening
    }

    // MARK: The channel's calls

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        shard.connectionOpened(self)
        // Behind a PROXY header the channel is active already.
        if context.channel.isActive { openWithoutBytes() }
    }

    func channelActive(context: ChannelHandlerContext) {
        openWithoutBytes()
        context.fireChannelActive()
    }

    /// Also the end of a channel that never became active, which no `channelInactive` tells of.
    func handlerRemoved(context: ChannelHandlerContext) {
        connectionEnded()
        self.context = nil
        closeDirectWay()
        shard.connectionClosed()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connectionEnded()
        context.fireChannelInactive()
    }

    /// The wheel may hold this object for a while yet: what it holds itself goes now, a message under way included.
    private func connectionEnded() {
        // Not counted again when it was ending already.
        if let ending = machine.close(for: .connectionLost, now: .now()) { shard.sessionEnded(ending) }
        _ = machine.connectionClosed()
        identity = nil
        leaveTopics()
        rest = nil
        refusal = nil
        become(.deaf)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset or a failed TLS handshake: nobody is left to be told.
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        machine.writabilityChanged(isWritable, bufferedBytes: bufferedBytes, now: .now())
        if isWritable {
            while context.channel.isWritable, let bytes = machine.nextToWrite() { write(bytes) }
            if context.channel.isWritable {
                perform(machine.proceedInbox(now: .now()))
                if joins != nil { proceedJoins() }
            }
            if waitsForWriting {
                waitsForWriting = false
                setReading(true)
            }
        } else {
            // A pace and a stall check come with the login. Before it, who reads no answers is not listened to.
            if identity == nil {
                waitsForWriting = true
                setReading(false)
            }
            shard.schedule(self)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The other side sends nothing more. Half a conversation is of no use here: the end.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var rest {
            self.rest = nil
            rest.writeBuffer(&bytes)
            bytes = rest
        }
        switch phase {
        case .opening: open(with: &bytes)
        case .speaking: listen(to: &bytes)
        case .deaf: return
        }
        guard bytes.readableBytes > 0, !isDeaf else { return }
        rest = bytes
    }

    func become(_ next: Phase) {
        phase = next
        if case .speaking(let frontend) = next {
            encoding = frontend.encodingKey
            traits = frontend.traits
            openDirectWay()
        } else {
            encoding = nil
            closeDirectWay()
        }
    }

    var isDeaf: Bool { if case .deaf = phase { true } else { false } }

    // MARK: Listening

    func listen(to bytes: inout ByteBuffer) {
        guard case .speaking(var frontend) = phase else { return }
        // The front-end is moved out while it works, so that it is changed in place and not copied.
        phase = .deaf
        var events: [SessionEvent] = []
        var failure: WireError?
        do throws(WireError) {
            try frontend.receive(&bytes, into: &events)
        } catch {
            failure = error
        }
        phase = .speaking(frontend)
        let now = NIODeadline.now()
        for event in events where !isDeaf { perform(machine.received(event, now: now)) }
        switch machine.countReceived(events.count, now: now) {
        case .proceed: break
        case .pause:
            setReading(false)
            shard.schedule(self)
        case .end(let ending): end(ending)
        }
        if let failure, let ending = machine.close(for: failure.reason, now: now) { end(ending, abrupt: true) }
    }

    // MARK: Acting

    func perform(_ action: SessionStateMachine.EventAction) {
        switch action {
        case .none: break
        case .login(let token, let device, let takesInbox):
            shard.login(self, token: token, device: device, takesInbox: takesInbox)
        case .enter(let permissions): shard.enter(self, permissions)
        case .renew(let token, let ref):
            guard let identity else { return }
            shard.renew(self, identity: identity, token: token, ref: ref)
        case .forward(let to, let data, let ref):
            guard let identity else { return }
            shard.forward(self, from: identity, to: to, data: data, ref: ref)
        case .subscribe(let pattern, let since, let ref):
            shard.subscribe(self, to: pattern, since: since, ref: ref)
        case .unsubscribe(let pattern, let ref):
            shard.unsubscribe(self, from: pattern)
            send(.ok(ref: ref))
        case .publish(let topic, let data, let ref):
            guard let identity else { return }
            shard.publish(self, from: identity, to: topic, data: data, ref: ref)
        case .acknowledged(let step):
            shard.counters.acknowledgements += 1
            perform(step)
        case .send(let command): send(command)
        case .write(let bytes): write(bytes)
        case .end(let ending): end(ending)
        case .leave(let ending, let reply):
            settle(ending)
            become(.deaf)
            write(reply)
            closeAfterFlush()
        case .finish(let ending): end(ending, abrupt: true)
        case .disconnect: context?.close(promise: nil)
        }
    }

    func loginFinished(_ outcome: LoginOutcome) {
        switch machine.loginFinished(
            outcome, now: .now(), jitter: .random(in: -1...1), liveness: traits.liveness)
        {
        case .welcome(let identity, let step):
            self.identity = identity
            shard.sessionBegan(self, identity)
            send(.welcome(identity, heartbeat: shard.heartbeat))
            perform(step)
            shard.schedule(self)
        case .end(let ending): end(ending)
        case .release(let identity): shard.desk.release(identity, endedFor: .connectionLost)
        case .none: break
        }
    }

    func renewed(_ renewal: Renewal, ref: Reference?) {
        guard let old = identity else { return }
        let renewed = old.renewed(generation: renewal.generation, permissions: renewal.permissions)
        identity = renewed
        machine.renewed(renewed, until: renewal.tokenEnd)
        send(.ok(ref: ref, expiresAt: renewal.expiresAt))
        if renewed.permissions != old.permissions { shard.endForbiddenSubscriptions(of: self, by: renewed.permissions) }
        shard.schedule(self)
    }

    /// The store gave the session its epoch after all. Only that is taken: the token may be a newer one by now.
    func claimed(_ epoch: Epoch, inbox: InboxOpening) {
        guard let claimed = identity?.claimed(epoch) else { return }
        identity = claimed
        perform(machine.claimed(claimed, inbox: inbox, now: .now()))
    }

    /// Answers a request that was worked on elsewhere. Nothing follows the last words (RFC 6455, section 5.5.1).
    func answer(_ command: SessionCommand) {
        guard identity != nil else { return }
        send(command)
    }

    /// Ends the session for a reason of ours, if it is not ending already.
    func close(for reason: CloseReason) {
        guard let ending = machine.close(for: reason, now: .now()) else { return }
        end(ending)
    }

    /// The wheel's slot has come: perhaps something is due.
    func deadlineReached(now: NIODeadline) {
        switch machine.deadlineReached(now: now, bufferedBytes: bufferedBytes) {
        case .none: break
        case .ping: send(.ping)
        case .resumeReading: setReading(true)
        case .inbox(let step): perform(step)
        case .end(let ending): end(ending)
        case .disconnect: context?.close(promise: nil)
        }
    }

    var nextDeadline: NIODeadline? { machine.nextDeadline }

    // MARK: Writing

    func send(_ command: SessionCommand) {
        let bytes = encode(command)
        guard bytes.readableBytes > 0 else { return }
        if traits.answersAlone { writeNow(bytes) } else { write(bytes) }
    }

    func encode(_ command: SessionCommand) -> ByteBuffer {
        var bytes = ByteBuffer()
        encode(command, into: &bytes)
        return bytes
    }

    func encode(_ command: SessionCommand, into bytes: inout ByteBuffer) {
        guard case .speaking(var frontend) = phase else { return }
        frontend.encode(command, into: &bytes)
        phase = .speaking(frontend)
    }

    // MARK: The end

    /// - Parameter abrupt: the bytes broke the protocol: nothing more is understood, so no answer is waited for.
    func end(_ ending: Ending, abrupt: Bool = false) {
        settle(ending)
        let lastWords = encode(.close(ending.reason))
        write(lastWords)
        // Nobody answers where nothing was said.
        if abrupt || lastWords.readableBytes == 0 { goDeaf(after: ByteBuffer()) } else { shard.schedule(self) }
    }

    private func settle(_ ending: Ending) {
        identity = nil
        leaveTopics()
        shard.sessionEnded(ending)
    }

    private func leaveTopics() {
        shard.leaveTopics(self)
        joins = nil
    }

    /// Writes, says that nothing more comes, and lets the other side read it: an immediate close could reset the
    /// connection and take the last words with it.
    func goDeaf(after response: ByteBuffer) {
        become(.deaf)
        rest = nil
        write(response)
        flush()
        context?.close(mode: .output, promise: nil)
        shard.schedule(self)
    }

    private func closeAfterFlush() {
        flush()
        context?.close(promise: nil)
    }
}
