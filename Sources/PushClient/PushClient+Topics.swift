import Common
import NIOCore

extension PushClient {
    /// Wants the messages of a topic from now on, over all reconnects. They come in `messages`, and name their topic.
    ///
    /// Where the topic keeps a history the client recovers by itself what it missed while it was away; what the topic
    /// does not keep any more is counted in `subscription(to:)` and told in `topicNotices`. A topic that keeps nothing
    /// is heard while there is a connection.
    ///
    /// With a connection this returns when the server has said yes. Without one the wish is noted, and said with the
    /// next welcome; the same is true when the connection is lost meanwhile. A subscription that the server cannot take
    /// now is tried again after 1–10 s. One that was refused for good is tried again only when this is called again.
    ///
    /// - Parameters:
    ///   - topic: 1–256 bytes, or a pattern: `+` stands for one level, `#` at the end for any number.
    ///   - since: `position` of a subscription or message that was kept when the application ran last: what was
    ///     published after it comes first. For one topic, not for patterns; only where the subscription is new.
    /// - Throws: `PushClientError`: `refused` with the server's code, `timedOut` when no answer came in time (the
    ///   subscription stays noted), `notConnected` when the client is closed, `invalidInput` for a topic or position
    ///   that is none, and beyond 1,024 subscriptions.
    public func subscribe(to topic: String, since: String? = nil) async throws {
        if case .closed = machine.state { throw PushClientError(.notConnected, "the client is closed") }
        let pattern = try Self.checked(topic, TopicPattern.init(_:))
        let place: HistoryPosition? = if let since { try Self.checked(since, HistoryPosition.init(_:)) } else { nil }
        guard place == nil || !pattern.isWildcard else {
            throw PushClientError(.invalidInput, "since goes with one topic, not with a pattern")
        }
        guard !waiters.isFull else { throw PushClientError(.invalidInput, "too many requests wait for answers") }
        try subscriptions.subscribe(to: pattern, since: place)
        sayDueSubscriptions()
        if subscriptions.isUnanswered(pattern) { try await answer(for: pattern) }
    }

    /// Does not want the messages of a topic any more. With a connection it returns when the server has understood, and
    /// no message of this subscription comes after that. Does nothing without such a subscription.
    /// - Throws: `PushClientError`: `timedOut` when no answer came in time, `refused`; it is forgotten all the same.
    ///   `invalidInput` for a topic that is none.
    public func unsubscribe(from topic: String) async throws {
        let pattern = try Self.checked(topic, TopicPattern.init(_:))
        guard !requests.isFull else { throw PushClientError(.invalidInput, "too many requests wait for answers") }
        let isOnWire = subscriptions.unsubscribe(from: pattern, now: .now)
        waiters.settle(pattern, .success(()))
        guard isOnWire else { return }
        do throws(PushClientError) {
            _ = try await request { ref in .unsubscribe(pattern.text, ref: ref) }
        } catch {
            // A connection takes its subscriptions with it.
            guard error.kind == .notConnected else { throw error }
        }
    }

    /// Publishes to a topic, where the token allows it.
    /// - Parameter data: one JSON value, at most 64 KiB unless the server is configured otherwise.
    /// - Returns: how many subscribers' connections it was written to.
    /// - Throws: `PushClientError`: `notConnected`, `refused` with the server's code, `timedOut`, `invalidInput`.
    @discardableResult
    public func publish(_ data: [UInt8], to topic: String) async throws -> Int {
        let topic = try Self.checked(topic, Topic.init(_:))
        guard ClientFrame.isJSONValue(data) else { throw PushClientError(.invalidInput, "the data is not JSON") }
        return try await request { ref in .publish(data, to: topic.text, ref: ref) }
    }

    /// How a subscription stands; nil when there is none by this text.
    public func subscription(to topic: String) -> Subscription? {
        subscriptions[TopicPattern(unchecked: topic)]
    }

    /// What happens to subscriptions beside messages, from now on; ends when the client is closed.
    public nonisolated var topicNotices: AsyncStream<TopicNotice> { notices.stream() }

    private static func checked<Value>(
        _ text: String, _ read: (String) throws(WindfireError) -> Value
    ) throws(PushClientError) -> Value {
        do throws(WindfireError) {
            return try read(text)
        } catch {
            throw PushClientError(.invalidInput, error.message, code: error.code.name)
        }
    }

    private func answer(for pattern: TopicPattern) async throws(PushClientError) {
        let id = waiters.nextID()
        let timeout = loop.scheduleTask(in: TimeAmount(configuration.requestTimeout)) { [weak self] in
            self?.assumeIsolated {
                $0.waiters.settle(id, .failure(PushClientError(.timedOut, "no answer in time")))
            }
        }
        defer { timeout.cancel() }
        try await withCheckedContinuation { continuation in waiters.add(id, pattern, continuation) }.get()
    }
}

// What the connection tells. On the client's event loop.
extension PushClient {
    func sayDueSubscriptions() {
        let frames = subscriptions.dueFrames(now: .now, refs: &refs)
        if let wire = subscriptions.connection.flatMap({ wires[$0] }) { for frame in frames { wire.send(frame) } }
        scheduleTimer()
    }

    /// Subscriptions outlive their connection, and those who wait for an answer need not.
    func connectionOfTopicsEnded(_ connection: Int) {
        if subscriptions.ended(connection) { waiters.settleAll(.success(())) }
    }

    func performTopics(_ verdict: Subscriptions.Verdict) {
        switch verdict {
        case .none: break
        case .standing(let pattern):
            waiters.settle(pattern, .success(()))
            notices.publish(.subscribed(topic: pattern.text))
        case .putOff: sayDueSubscriptions()
        case .refused(let pattern, let error):
            waiters.settle(pattern, .failure(error))
            notices.publish(.refused(topic: pattern.text, code: error.code ?? "unknown", message: error.message))
        }
    }

    func received(_ gap: ServerFrame.TopicGap, of connection: Int) {
        let missed = subscriptions.missed(gap.missed, of: gap.topic, reason: gap.reason, on: connection)
        if let missed { notices.publish(.gap(topic: gap.topic, missed: missed, reason: gap.reason)) }
    }
}
