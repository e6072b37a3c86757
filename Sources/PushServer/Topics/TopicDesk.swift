import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import PushCore
import ServiceLifecycle

/// What sessions ask of the topic store, away from their loops: that publishes reach this node, and what topics keep.
///
/// `TopicPresence` decides which topics are announced and when; here its calls are made, and whoever waits for one is
/// told. Loops ask by a lock that is held for a few hundred nanoseconds, and never on the way of a message.
final class TopicDesk: Service {
    /// How long a subscriber waits to be announced before it is told that only this node's publishes reach it for now.
    static let patience: TimeAmount = .seconds(2)
    /// Messages of one page of what a topic keeps.
    private static let pageSize = 100
    private static let tick: Duration = .milliseconds(250)

    let rules: TopicRules
    private let incarnation: Incarnation
    private let store: any TopicStore
    private let logger: Logger
    private let state: NIOLockedValueBox<State>
    private let kicks = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    private struct Waiter {
        let until: NIODeadline
        let answer: @Sendable (_ isAnnounced: Bool) -> Void
    }

    private struct State {
        var presence: TopicPresence
        var waiters: [TopicPattern: [Waiter]] = [:]
        /// The last call to the store failed.
        var isStoreAway = false
    }

    init(incarnation: Incarnation, store: any TopicStore, rules: TopicRules, limits: Limits, logger: Logger) {
        self.incarnation = incarnation
        self.store = store
        self.rules = rules
        self.logger = logger
        var presence = TopicPresence.Rules()
        presence.wildcardsMax = limits.wildcardsPerNodeMax
        state = NIOLockedValueBox(State(presence: TopicPresence(rules: presence, now: .now())))
    }

    // MARK: What shards tell

    /// A shard has its first subscriber of a pattern.
    /// - Throws: `too_many_patterns`: the shard takes the subscription back.
    func gained(_ pattern: TopicPattern) throws(WindfireError) {
        let result: Result<TopicPresence.Standing, WindfireError> = state.withLockedValue { state in
            do throws(WindfireError) {
                return .success(try state.presence.gained(pattern, now: .now()))
            } catch {
                return .failure(error)
            }
        }
        if try result.get() == .joining { kicks.continuation.yield() }
    }

    /// A shard has no subscriber of a pattern any more.
    func lost(_ pattern: TopicPattern) { state.withLockedValue { $0.presence.lost(pattern, now: .now()) } }

    /// Answers when publishes of all nodes reach this one, or after `patience` without.
    /// - Parameter answer: called on any thread, or before this returns.
    func whenAnnounced(_ pattern: TopicPattern, _ answer: @escaping @Sendable (_ isAnnounced: Bool) -> Void) {
        let isMember = state.withLockedValue { state in
            if state.presence.isMember(of: pattern) { return true }
            state.waiters[pattern, default: []].append(Waiter(until: .now() + Self.patience, answer: answer))
            return false
        }
        if isMember { answer(true) }
    }

    /// Patterns that this node announces.
    var announcedCount: Int { state.withLockedValue { $0.presence.count } }

    // MARK: What topics keep

    func keeps(_ pattern: TopicPattern) -> TopicRule.History? {
        pattern.topic.flatMap { rules.rule(for: $0)?.history }
    }

    /// One page behind an offset; the head alone when it is nil.
    /// - Returns: nil when the store does not answer.
    func history(
        of topic: Topic, after offset: UInt64?, keeping history: TopicRule.History
    ) async -> HistoryPage<TopicMessage>? {
        do throws(WindfireError) {
            return try await store.history(of: topic, after: offset, countMax: Self.pageSize, keeping: history)
        } catch {
            logger.debug("history not read", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            return nil
        }
    }

    // MARK: Life

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                group.addTask { [self] in
                    while (try? await Task.sleep(for: Self.tick)) != nil { kicks.continuation.yield() }
                    kicks.continuation.finish()
                }
                for await _ in kicks.stream {
                    giveUpWaiting()
                    let actions = state.withLockedValue { $0.presence.actions(now: .now()) }
                    if !actions.isEmpty { group.addTask { [self] in await perform(actions) } }
                }
            }
        }
    }

    private func perform(_ actions: [TopicPresence.Action]) async {
        let results = await store.announce(actions.map(\.change), of: incarnation)
        var answers: [Waiter] = []
        let failure: WindfireError? = state.withLockedValue { state in
            var failure: WindfireError?
            let now = NIODeadline.now()
            for (action, result) in zip(actions, results) {
                var isDone = true
                if case .failure(let error) = result { (isDone, failure) = (false, error) }
                guard state.presence.finished(action, succeeded: isDone, now: now) else { continue }
                answers += state.waiters.removeValue(forKey: action.change.pattern) ?? []
            }
            // What it forgot meanwhile is told again.
            if state.isStoreAway, failure == nil { state.presence.storeReturned(over: .seconds(5), now: now) }
            defer { state.isStoreAway = failure != nil }
            return state.isStoreAway ? nil : failure
        }
        for waiter in answers { waiter.answer(true) }
        if let failure {
            logger.warning(
                "topics are not announced; other nodes' publishes may not reach this one",
                metadata: [Logger.Metadata.Key.error: "\(failure.code)"])
        }
    }

    private func giveUpWaiting() {
        let now = NIODeadline.now()
        let late: [Waiter] = state.withLockedValue { state in
            guard !state.waiters.isEmpty else { return [] }
            var late: [Waiter] = []
            for (pattern, waiters) in state.waiters where waiters.contains(where: { $0.until <= now }) {
                late += waiters.filter { $0.until <= now }
                let left = waiters.filter { $0.until > now }
                state.waiters[pattern] = left.isEmpty ? nil : left
            }
            return late
        }
        for waiter in late { waiter.answer(false) }
    }
}

extension TopicPresence.Action {
    fileprivate var change: TopicPresenceChange {
        switch self {
        case .join(let pattern): TopicPresenceChange(pattern, isPresent: true)
        case .leave(let pattern): TopicPresenceChange(pattern, isPresent: false)
        }
    }
}
