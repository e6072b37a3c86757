import Common
import HTTPSupport
import Logging
import ServiceLifecycle
import Synchronization

/// Tells one destination: takes events from any thread without waiting, and calls in the background.
///
/// What to do next is `WebhookFlow`'s to say; this does it. A destination that is slow or away fills the queue and
/// nothing else.
package final class WebhookSender: Service {
    private let configuration: WebhookConfiguration
    private let caller: WebhookCaller
    private let client: PinnedClient
    private let fence: (any WebhookFence)?
    private let flow: WebhookQueue
    private let figures: WebhookFigures
    private let logger: Logger
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - destination: a short name for metrics: `offline`, `presence`.
    ///   - fence: asked before each call which events became stale; nil when none ever does.
    package init(
        _ configuration: WebhookConfiguration, destination: String, fence: (any WebhookFence)? = nil,
        resolver: NameResolver = .system, route: AddressRoute = .direct, metrics: PrometheusRegistry, logger: Logger
    ) {
        self.configuration = configuration
        self.fence = fence
        var logger = logger
        logger[metadataKey: "destination"] = "\(destination)"
        self.logger = logger
        let client = PinnedClient(
            configuration.address, allowsPrivate: configuration.allowsPrivate, resolver: resolver,
            route: route, connectTimeout: configuration.connectTimeout)
        self.client = client
        caller = WebhookCaller(
            address: configuration.address, secret: configuration.secret, timeout: configuration.timeout,
            answerBytesMax: configuration.answerBytesMax, client: client,
            clock: { Int64(WallClock.milliseconds() / 1_000) })
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let queue = WebhookQueue(configuration.rules)
        flow = queue
        figures = WebhookFigures(metrics, destination: destination) { queue.withLock { $0.count } }
    }

    /// How many events one destination keeps; more at once would push each other out.
    package var queueMax: Int { configuration.rules.queueMax }

    /// Takes events; never waits. The oldest give way when there are too many.
    package func post(_ events: [WebhookEvent]) {
        let dropped = flow.withLock { $0.add(events, now: .now) }
        if dropped > 0 { figures.dropped.increment(by: dropped) }
        wake.yield()
    }

    /// Events that were not even handed in, because they would not have found room. Part of the gap that is told.
    package func dropped(_ count: Int) {
        flow.withLock { $0.skip(count) }
        figures.dropped.increment(by: count)
    }

    /// Calls until it is shut down, then for what is left, but not for long.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in await work() }
            group.addTask { [self] in
                try? await gracefulShutdown()
                flow.withLock { $0.stop() }
                wake.yield()
                try? await Task.sleep(for: configuration.flushMax)
            }
            await group.next()
            group.cancelAll()
        }
        let left = flow.withLock { $0.abandon() }
        if left > 0 {
            figures.dropped.increment(by: left)
            logger.warning("events were left untold at the end", metadata: [Logger.Metadata.Key.count: "\(left)"])
        }
        await client.close()
    }

    private func work() async {
        var alarm: Task<Void, Never>?
        defer { alarm?.cancel() }
        for await _ in wakeUps {
            alarm?.cancel()
            working: while !Task.isCancelled {
                switch flow.withLock({ $0.next(now: .now, id: Self.newID()) }) {
                case .send(let batch): await send(batch)
                case .wait(let until):
                    alarm = Task { [wake] in
                        guard (try? await Task.sleep(until: until, clock: .continuous)) != nil else { return }
                        wake.yield()
                    }
                    break working
                case .idle: break working
                case .finished: return
                }
            }
        }
    }

    private func send(_ batch: WebhookBatch) async {
        var batch = batch
        var checked: FenceReading?
        if let fence {
            let reading = FenceReading(fence, batch.events)
            do throws(WindfireError) {
                let stale = try await reading.read()
                let (left, outcome) = flow.withLock { $0.drop(stale) }
                figures.count(outcome)
                guard let left else { return }
                batch = left
            } catch {
                // Whether the news still holds is not known, and untrue news is worse than late news.
                logger.debug("events wait for the route store", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
                return flow.withLock { $0.postpone(by: .seconds(1), now: .now) }
            }
            checked = reading
        }
        let guardian = checked.map { reading in
            { @Sendable () async throws in
                guard try await reading.stillHolds() else { throw WebhookCaller.Withdrawn() }
            }
        }
        guard let verdict = await caller.call(batch, unless: guardian) else {
            // Not at once: a store too slow to be relied on would be asked without a pause, and each time a connection
            // opened for nothing.
            return flow.withLock { $0.postpone(by: .milliseconds(250), now: .now) }
        }
        let outcome = flow.withLock { $0.finished(verdict, now: .now, chance: .random(in: 0...1)) }
        figures.count(outcome)
        tell(verdict, outcome, batch)
    }

    private func tell(_ verdict: WebhookVerdict, _ outcome: WebhookFlow.Outcome, _ batch: WebhookBatch) {
        switch verdict {
        case .accepted: break
        case .again(let reason, _), .giveUp(let reason):
            let level: Logger.Level = outcome.failed > 0 ? .warning : .debug
            logger.log(
                level: level, outcome.failed > 0 ? "webhook given up" : "webhook not reached",
                metadata: [
                    Logger.Metadata.Key.reason: "\(reason)", Logger.Metadata.Key.count: "\(batch.events.count)",
                    Logger.Metadata.Key.address: "\(configuration.address)", "attempt": "\(batch.attempt)",
                ])
        }
    }

    /// A new id for a batch or an event.
    package static func newID() -> UUIDv7 {
        UUIDv7(
            unixMilliseconds: WallClock.milliseconds(), random: (.random(in: .min ... .max), .random(in: .min ... .max))
        )
    }
}

/// A flow behind a lock: callers of any thread put in, one task takes out.
private final class WebhookQueue: Sendable {
    private let flow: Mutex<WebhookFlow>

    init(_ rules: WebhookFlow.Rules) { flow = Mutex(WebhookFlow(rules)) }

    func withLock<Value: Sendable>(_ body: (inout WebhookFlow) -> Value) -> Value {
        flow.withLock { flow in body(&flow) }
    }
}
