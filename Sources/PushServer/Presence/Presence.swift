import Common
import HTTPSupport
import Logging
import PushCore
import ServiceLifecycle
import Synchronization
import Webhooks

/// Where clients' coming and going is told. Absent when it is not configured; then it costs nothing.
package struct PresenceConfiguration: Sendable {
    package var webhook: WebhookConfiguration
    /// How long news is held back; `PresenceHold` says why.
    package var settle: Duration

    package init(webhook: WebhookConfiguration, settle: Duration) {
        // The news has waited; nothing is gained by waiting for company again.
        self.webhook = webhook
        self.webhook.rules.batchDelay = .zero
        self.settle = settle
    }
}

/// Tells which devices came and went. Called on any thread, never waits.
final class Presence: Service {
    private let settle: Duration
    private let hold: Mutex<PresenceHold>
    /// To be run before this and stopped after it.
    let sender: WebhookSender
    private let clock: @Sendable () -> UInt64
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameter clock: Unix milliseconds.
    init(
        _ configuration: PresenceConfiguration, routes: any RouteStore, metrics: PrometheusRegistry,
        clock: @escaping @Sendable () -> UInt64, logger: Logger
    ) {
        settle = configuration.settle
        hold = Mutex(
            PresenceHold(settle: configuration.settle, countMax: configuration.webhook.rules.queueMax))
        // Half of the time for which a newer session's online is held: the rest is for the bytes to leave.
        let fence = PresenceFence(routes: routes, validity: configuration.settle / 2)
        sender = WebhookSender(
            configuration.webhook, destination: "presence", fence: fence, metrics: metrics, logger: logger)
        self.clock = clock
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The store granted a claim.
    /// - Parameter displaced: those the claim took the place of. For the same device the newcomer is the news; the ends
    ///   of others, for want of room, are told here, since their own nodes cannot know which of the two it was.
    func claimed(_ identity: SessionIdentity, displaced: [Route]) {
        let now = clock()
        let online = PresenceNotice(.online, identity.client, identity.route, milliseconds: now)
        let others = displaced.filter { $0.device != identity.route.device }
        change { hold, instant in
            others.reduce(hold.came(online, now: instant)) { dropped, route in
                dropped
                    + hold.left(
                        PresenceNotice(.offline(.replaced), identity.client, route, milliseconds: now), isTold: true,
                        now: instant)
            }
        }
    }

    /// A session ended. One that the store never knew was never told either.
    func ended(_ identity: SessionIdentity, for reason: CloseReason) {
        guard identity.route.epoch != .none else { return }
        let notice = PresenceNotice(.offline(reason), identity.client, identity.route, milliseconds: clock())
        let isTold = reason != .replaced && reason != .superseded
        change { hold, instant in hold.left(notice, isTold: isTold, now: instant) }
    }

    private func change(_ body: (inout PresenceHold, ContinuousClock.Instant) -> Int) {
        let dropped = hold.withLock { hold in body(&hold, .now) }
        if dropped > 0 { sender.dropped(dropped) }
        wake.yield()
    }

    /// Hands over what has settled. When it is stopped, it lets the last settle for a moment and hands over the rest.
    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                for await _ in wakeUps {
                    while !Task.isCancelled, let due = hold.withLock(\.nextDue) {
                        // A little later, so that what comes due together travels together.
                        try? await Task.sleep(until: due + .milliseconds(10), clock: .continuous)
                        post(hold.withLock { $0.takeSettled(now: .now) })
                    }
                }
            }
            group.addTask { [self] in
                try? await gracefulShutdown()
                let end = ContinuousClock.now + min(settle + .milliseconds(100), .seconds(2))
                while hold.withLock(\.count) > 0, ContinuousClock.now < end, !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            await group.next()
            group.cancelAll()
        }
        post(hold.withLock { $0.takeAll() })
    }

    private func post(_ notices: [PresenceNotice]) {
        guard !notices.isEmpty else { return }
        sender.post(
            notices.map { WebhookEvent(id: WebhookSender.newID(), content: $0, subject: $0.subject) })
    }
}
