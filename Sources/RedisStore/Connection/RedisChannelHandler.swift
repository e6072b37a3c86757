import NIOCore

/// The last handler of a connection to Redis: writes commands, gives each caller its replies. What to do is decided by
/// `RedisConnectionStateMachine`; everything here runs on the connection's event loop.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Some commands written together, and the caller who waits for all their replies.
    final class Request {
        let commandCount: Int
        private var replies: [RedisReply] = []
        private let continuation: CheckedContinuation<[RedisReply], Never>

        init(commandCount: Int, continuation: CheckedContinuation<[RedisReply], Never>) {
            self.commandCount = commandCount
            self.continuation = continuation
            replies.reserveCapacity(commandCount)
        }

        func receive(_ reply: RESPValue) { replies.append(.success(reply)) }

        func finish() { continuation.resume(returning: replies) }

        /// What arrived counts; the rest failed.
        func fail(_ failure: RedisFailure) {
            while replies.count < commandCount { replies.append(.failure(failure)) }
            finish()
        }
    }

    private var machine: RedisConnectionStateMachine<Request>
    private let reader: ReplyReader
    private let commandTimeout: TimeAmount
    private var context: ChannelHandlerContext?
    private var deadlineTask: Scheduled<Void>?

    init(commandTimeout: TimeAmount, repliesMissingMax: Int, bounds: ReplyReader.Bounds = .init()) {
        self.commandTimeout = commandTimeout
        machine = RedisConnectionStateMachine(repliesMissingMax: repliesMissingMax)
        reader = ReplyReader(bounds: bounds)
    }

    // MARK: From callers

    /// Writes the commands in one go. The request ends in any case: with replies, or with the reason there are none.
    func submit(_ commands: [RedisCommand], _ request: Request) {
        guard let context else { return request.fail(.connectionLost("already closed")) }
        let deadline = context.eventLoop.now + commandTimeout
        switch machine.submit(request, commands: commands.count, deadline: deadline) {
        case .write(let schedule):
            if let schedule { watch(schedule, context) }
            context.writeAndFlush(wrapOutboundOut(Self.wire(of: commands, context.channel.allocator)), promise: nil)
        case .refuse(let failure):
            request.fail(failure)
        }
    }

    /// Ends the connection; what still waits fails.
    func close(_ failure: RedisFailure) {
        fail(machine.close(failure), failure)
        context?.close(promise: nil)
    }

    /// One buffer, so one write.
    private static func wire(of commands: [RedisCommand], _ allocator: ByteBufferAllocator) -> ByteBuffer {
        if commands.count == 1 { return commands[0].wire }
        var wire = allocator.buffer(capacity: commands.reduce(0) { $0 + $1.wire.readableBytes })
        for command in commands { wire.writeImmutableBuffer(command.wire) }
        return wire
    }

    private func fail(_ requests: [Request], _ failure: RedisFailure) {
        deadlineTask?.cancel()
        deadlineTask = nil
        for request in requests { request.fail(failure) }
    }

    private func watch(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        // One timer per connection, for the oldest request; later ones are looked at when it rings.
        guard deadlineTask == nil else { return }
        deadlineTask = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.deadlineReached()
        }
    }

    private func deadlineReached() {
        guard let context else { return }
        deadlineTask = nil
        switch machine.deadlineReached(now: context.eventLoop.now) {
        case .none: break
        case .reschedule(let deadline): watch(deadline, context)
        case .close(let requests, let failure):
            fail(requests, failure)
            context.close(promise: nil)
        }
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(machine.close(.connectionLost("closed")), .connectionLost("closed"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try reader.feed(unwrapInboundIn(data)) { reply in
                switch machine.receivedReply() {
                case .deliver(let request, let isLast):
                    request.receive(reply)
                    if isLast { request.finish() }
                case .close(let failure):
                    fail([], failure)
                    context.close(promise: nil)
                case .ignore: break
                }
            }
        } catch {
            close(.malformedReply(error.reason))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let failure = RedisFailure.connectionLost("closed by the server")
        fail(machine.close(failure), failure)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(.connectionLost(String(describing: error)))
    }
}
