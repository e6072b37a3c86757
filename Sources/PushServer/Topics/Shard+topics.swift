// The topics of a shard's sessions: who comes and goes, and what is published to them.

import Common
import NIOCore
import NodeRPC
import PushCore

extension Shard {
    // MARK: Coming and going

    /// Subscribes at once, and answers when publishes of all nodes reach this one.
    func subscribe(
        _ handler: SessionHandler, to pattern: TopicPattern, since: HistoryPosition?, ref: Reference?
    ) {
        do throws(WindfireError) {
            guard since == nil || topicDesk.keeps(pattern) != nil else {
                throw WindfireError(.notSupported, "this topic keeps nothing: subscribe without since")
            }
            let slot = try slot(of: handler)
            if try topics.subscribe(slot, to: pattern) == .first { try announce(pattern, of: slot) }
            // From now on what comes live is held, so that nothing falls between it and what is replayed.
            if let since, let topic = pattern.topic { handler.beginJoin(topic, pattern, since: since, ref: ref) }
        } catch {
            return handler.answer(.error(error.code, message: error.message, ref: ref))
        }
        let handler = NIOLoopBound(handler, eventLoop: loop)
        topicDesk.whenAnnounced(pattern) { [self] isAnnounced in
            loop.execute { [self] in
                if since != nil, let topic = pattern.topic { return handler.value.readHistory(of: topic) }
                welcome(handler, to: pattern, ref: ref, isLocal: !isAnnounced)
            }
        }
    }

    /// The subscription stands. Where a topic's history is now is told with it, so that who has not had a message yet
    /// can ask for what it missed as well.
    private func welcome(
        _ handler: NIOLoopBound<SessionHandler>, to pattern: TopicPattern, ref: Reference?, isLocal: Bool
    ) {
        guard let topic = pattern.topic, let history = topicDesk.keeps(pattern), !isLocal else {
            return handler.value.answer(.subscribed(pattern, ref: ref, isLocal: isLocal))
        }
        Task { [self] in
            let page = await topicDesk.history(of: topic, after: nil, keeping: history)
            let position = page.map { HistoryPosition(epoch: $0.epoch, offset: $0.head) }
            loop.execute { handler.value.answer(.subscribed(pattern, ref: ref, position: position)) }
        }
    }

    private func announce(_ pattern: TopicPattern, of slot: SubscriberSlot) throws(WindfireError) {
        do throws(WindfireError) {
            try topicDesk.gained(pattern)
        } catch {
            _ = topics.unsubscribe(slot, from: pattern)
            throw error
        }
    }

    private func slot(of handler: SessionHandler) throws(WindfireError) -> SubscriberSlot {
        if let slot = handler.slot { return slot }
        guard handler.identity != nil, let slot = slots.insert(handler) else {
            throw WindfireError(.overloaded, "the node has no place for another subscriber")
        }
        handler.slot = slot
        return slot
    }

    /// - Returns: whether it was subscribed.
    @discardableResult
    func unsubscribe(_ handler: SessionHandler, from pattern: TopicPattern) -> Bool {
        guard let slot = handler.slot else { return false }
        let result = topics.unsubscribe(slot, from: pattern)
        guard result != .notSubscribed else { return false }
        if result == .last { topicDesk.lost(pattern) }
        unsubscribeCount &+= 1
        handler.unsubscribed(at: unsubscribeCount, pattern)
        return true
    }

    /// A new token allows something else: subscriptions that it does not allow are over, and the device is told.
    func endForbiddenSubscriptions(of handler: SessionHandler, by permissions: SessionPermissions) {
        guard let slot = handler.slot else { return }
        for pattern in topics.patterns(of: slot) {
            do throws(WindfireError) {
                try permissions.checkSubscribe(to: pattern)
            } catch {
                unsubscribe(handler, from: pattern)
                let message = "the new token does not allow \(pattern.text): the subscription is over"
                handler.answer(.error(error.code, message: message, ref: nil))
            }
        }
    }

    /// The session is over.
    func leaveTopics(_ handler: SessionHandler) {
        guard let slot = handler.slot else { return }
        handler.unlist()
        handler.slot = nil
        topics.removeAll(slot) { topicDesk.lost($0) }
        slots.remove(slot)
    }

    // MARK: What is kept

    func readHistory(_ handler: SessionHandler, of topic: Topic, after position: HistoryPosition) {
        guard let history = topicDesk.keeps(TopicPattern(topic)) else { return }
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let page = await topicDesk.history(of: topic, after: position.offset, keeping: history)
            let messages = page?.map { Message($0, in: topic, at: $1) }
            loop.execute { handler.value.received(messages, of: topic) }
        }
    }

    // MARK: What is published

    /// A device publishes. Who does not ask for an answer gets none.
    func publish(
        _ handler: SessionHandler, from identity: SessionIdentity, to topic: Topic, data: ByteBuffer, ref: Reference?
    ) {
        // Submitted here, in the order in which the device said it; only the answer is waited for elsewhere.
        let ticket = publisher.submit(
            Array(data.readableBytesView), from: identity.isAnonymous ? nil : identity.client, to: topic)
        guard let ref else { return }
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let answer: SessionCommand
            do throws(WindfireError) {
                let receipt = try await ticket.receipt
                if let failure = receipt.lookupFailure {
                    answer = .error(failure.code, message: "only subscribers on this node were reached", ref: ref)
                } else {
                    answer = .ok(ref: ref, delivered: receipt.delivered)
                }
            } catch {
                answer = .error(error.code, message: error.message, ref: ref)
            }
            loop.execute { handler.value.answer(answer) }
        }
    }

    /// Messages for the subscribers of this shard, in their order.
    /// - Parameter promise: gets an outcome for each message of the call; nil when nobody asks.
    func take(
        _ work: [PublishIntake.Work], of count: Int, _ promise: EventLoopPromise<[PublishOutcome]>?
    ) {
        let call = promise.map { PublishCall(count: count, promise: $0) }
        for item in work {
            switch item.kind {
            case .message(let topic, let message):
                enqueue(Published([message], as: .message(message), item.index, of: call), in: topic)
            case .merged(let topic, let messages, let leftOut):
                let command = SessionCommand.batch(topic, messages, leftOut: leftOut)
                enqueue(Published(messages, as: command, item.index, of: call), in: topic)
            case .count(let topic):
                if let index = item.index {
                    call?.done(index, PublishOutcome(delivered: UInt32(clamping: topics.audience(of: topic).count)))
                }
            case .everyone(let message, let perSecondMax):
                let published = Published([message], as: .message(message), item.index, of: call)
                deliver(published, toEveryoneAt: perSecondMax)
            }
        }
    }

    private func enqueue(_ published: Published, in topic: Topic) {
        if topicQueue.append(published, bytes: published.byteCount, to: topic) { deliver(.topic(topic)) }
    }

    /// Sessions that a publish would reach now.
    func subscriberCount(of topic: Topic) -> Int { topics.audience(of: topic).count }

    // MARK: Everyone

    /// Paced pushes to everyone that go on at once; each holds the ids of a shard's sessions.
    private static let pacedMax = 16

    private func deliver(_ published: Published, toEveryoneAt perSecondMax: UInt32?) {
        let everyone = EveryoneFanOut(published, to: Array(sessions.keys))
        guard let perSecondMax else { return deliver(.everyone(everyone)) }
        guard paced.count < Self.pacedMax else {
            return published.done(PublishOutcome(delivered: 0, refused: UInt32(clamping: sessions.count)))
        }
        // It may take hours: it is answered now, with whom it is for.
        published.done(PublishOutcome(delivered: UInt32(clamping: sessions.count)))
        pacedNumber += 1
        paced[pacedNumber] = everyone
        let perSecond = max(1, Double(perSecondMax) / Double(shardCount))
        let interval = max(0.1, 1 / perSecond)
        proceed(pacedNumber, by: Int(perSecond * interval), every: .nanoseconds(Int64(interval * 1e9)))
    }

    private func proceed(_ number: UInt64, by count: Int, every interval: TimeAmount) {
        guard var everyone = paced.removeValue(forKey: number) else { return }
        let now = NIODeadline.now()
        _ = everyone.serve(count) { [self] session, encoding in
            let verdict = sessions[session]?.deliver(&encoding, isOnly: true, now: now) ?? .gone
            counters.count(verdict, 1)
            return verdict
        }
        guard !everyone.isServed else { return }
        paced[number] = everyone
        loop.scheduleTask(in: interval) { [self] in proceed(number, by: count, every: interval) }
    }
}

extension HistoryPage {
    fileprivate func map<Mapped>(_ body: (Element, HistoryPosition) -> Mapped) -> HistoryPage<Mapped> {
        HistoryPage<Mapped>(
            epoch: epoch, first: first, head: head,
            entries: entries.map { entry in
                .init(
                    offset: entry.offset,
                    element: body(entry.element, HistoryPosition(epoch: epoch, offset: entry.offset)))
            }, isMore: isMore)
    }
}
