import Common
import Synchronization

/// Publishes: from a submitted message to the calls of the nodes that have subscribers, and a receipt.
///
/// **Order.** Whoever submits A and then B has A before B at every subscriber of a topic: `submit` only takes a lock,
/// and never waits. What became of a message is awaited apart from that, by its ticket.
///
/// **Once.** A message is sent to each node once. Where a call fails, what it reached is unknown and the receipt says
/// so; it is not repeated. A topic with history lets its followers ask for what they missed.
///
/// **When the store is away** a publish fails with `routes_unavailable`. A publisher that lives in a push server is
/// given its own node: then the message goes there all the same, in its order, so that topics whose subscribers are on
/// one node go on; the receipt has the reason in `lookupFailure`, and nothing is kept.
///
/// Cost of a message while it waits: its data once, however many nodes it goes to, and some 200 bytes. Decisions are
/// those of `PublishDesk`; here they are carried out, in a task for each look-up and each call.
package final class TopicPublisher: Sendable {
    /// One message and its topic.
    package struct Publish: Sendable {
        package var topic: Topic
        package var message: TopicMessage
        /// 32 hex digits; empty for none.
        package var traceID: String
        package var tag: UInt64

        package init(_ message: TopicMessage, to topic: Topic, traceID: String = "", tag: UInt64 = 0) {
            self.topic = topic
            self.message = message
            self.traceID = traceID
            self.tag = tag
        }
    }

    private typealias Desk = PublishDesk<PublishTicket>

    private struct State {
        var desk: Desk
        var figures = PublisherFigures()
    }

    private let store: any TopicStore & RouteStore
    private let registry: any Registry
    private let nodes: any NodeCaller
    private let state: Mutex<State>

    /// - Parameters:
    ///   - nodes: a push server hands in one that knows its own node.
    ///   - rules: which topics keep what; the same in all processes.
    ///   - ownNode: the push server that this publisher lives in.
    ///   - drawLink: random numbers.
    package init(
        store: any TopicStore & RouteStore, registry: any Registry, nodes: any NodeCaller, rules: TopicRules = .none,
        limits: Limits = .default, ownNode: Member? = nil,
        drawLink: @escaping @Sendable () -> UInt64 = { .random(in: 1 ... .max) }
    ) {
        self.store = store
        self.registry = registry
        self.nodes = nodes
        state = Mutex(
            State(desk: Desk(rules: rules, bounds: Desk.Bounds(limits), ownNode: ownNode, drawLink: drawLink)))
    }

    // MARK: Submitting

    /// Takes the message, or answers at once with a ticket that has failed: `overloaded` when too much is on its way.
    /// - Parameter collector: gets the ticket when it has come to its end.
    package func submit(
        _ message: TopicMessage, to topic: Topic, traceID: String = "", tag: UInt64 = 0,
        collector: SettledTickets? = nil
    ) -> PublishTicket {
        let target = PublishTarget.topic(topic)
        let ticket = PublishTicket(target, cost: PublishCost.bytes(of: message), tag: tag, collector: collector)
        takeOrFail(PendingPublish(target: target, message: message, traceID: traceID, ticket: ticket))
        return ticket
    }

    /// Takes all of the messages or none, in their order.
    /// - Throws: `overloaded` when too much is on its way; `payload_too_large` when they are more than may ever be.
    package func submit(
        _ publishes: [Publish], collector: SettledTickets? = nil
    ) throws(WindfireError) -> [PublishTicket] {
        let pending = publishes.map { publish in
            let target = PublishTarget.topic(publish.topic)
            return PendingPublish(
                target: target, message: publish.message, traceID: publish.traceID,
                ticket: PublishTicket(
                    target, cost: PublishCost.bytes(of: publish.message), tag: publish.tag, collector: collector))
        }
        try take(pending)
        return pending.map(\.ticket)
    }

    /// For every session of every push server. These messages keep their order among themselves.
    /// - Parameter perSecondMax: sessions a second over all nodes, which divide it by the sessions they have.
    package func submitEveryone(
        _ messages: [TopicMessage], perSecondMax: Int? = nil, traceID: String = ""
    ) throws(WindfireError) -> [PublishTicket] {
        precondition(perSecondMax ?? 1 > 0, "a rate lets somebody through")
        let pending = messages.map { message in
            PendingPublish(
                target: .everyone, message: message, perSecondMax: perSecondMax, traceID: traceID,
                ticket: PublishTicket(.everyone, cost: PublishCost.bytes(of: message)))
        }
        try take(pending)
        return pending.map(\.ticket)
    }

    /// Submits and waits for the receipt.
    /// - Throws: as `PublishTicket.receipt`.
    package func publish(
        _ message: TopicMessage, to topic: Topic, traceID: String = ""
    ) async throws(WindfireError) -> PublishReceipt {
        try await submit(message, to: topic, traceID: traceID).receipt
    }

    package var figures: PublisherFigures {
        state.withLock { state in
            var figures = state.figures
            figures.waiting = state.desk.openCount
            figures.waitingBytes = state.desk.openBytes
            return figures
        }
    }

    private func takeOrFail(_ publish: PendingPublish<PublishTicket>) {
        do throws(WindfireError) {
            try take([publish])
        } catch {
            _ = publish.ticket.enter(.refused(error))
            publish.ticket.tell()
        }
    }

    private func take(_ pending: [PendingPublish<PublishTicket>]) throws(WindfireError) {
        let result: Result<Desk.Effects, WindfireError> = state.withLock { state in
            do throws(WindfireError) {
                return .success(try state.desk.submit(pending))
            } catch {
                state.figures.refused += pending.count
                return .failure(error)
            }
        }
        perform(try result.get())
    }

    // MARK: Carrying out

    private func perform(_ effects: Desk.Effects) {
        tell(effects.news)
        for action in effects.actions { Task { await self.work(on: action) } }
    }

    /// Carries out an action and what follows from it: the first of it here, the rest in tasks of their own.
    private func work(on action: Desk.Action) async {
        var next: Desk.Action? = action
        while let action = next {
            let effects = await carryOut(action)
            tell(effects.news)
            next = effects.actions.first
            for other in effects.actions.dropFirst() { Task { await self.work(on: other) } }
        }
    }

    private func carryOut(_ action: Desk.Action) async -> Desk.Effects {
        switch action {
        case .lookUp(let target, let messages, let history, let needsLoads):
            let result = await reach(of: target, messages, keeping: history, needsLoads: needsLoads)
            let (members, isInTouch) = (registry.members(.push), registry.state.isConnected)
            return state.withLock { state in
                state.figures.lookups += 1
                return state.desk.lookedUp(target, result, members: members, isInTouch: isInTouch, now: .now)
            }
        case .readPatterns:
            let result: Result<(rows: [PatternDirectory.Row], version: UInt64), WindfireError>
            do throws(WindfireError) { result = .success(try await store.announcedPatterns()) } catch {
                result = .failure(error)
            }
            let (members, isInTouch) = (registry.members(.push), registry.state.isConnected)
            return state.withLock { state in
                state.figures.patternReadings += 1
                return state.desk.patternsRead(result, members: members, isInTouch: isInTouch, now: .now)
            }
        case .call(let member, let call):
            return await make(call, on: member)
        case .forget(let gone, let topic):
            // Whoever meets them next tries again.
            try? await store.forget(gone, in: topic)
            return Desk.Effects()
        }
    }

    private func reach(
        of target: PublishTarget, _ messages: [TopicMessage], keeping history: TopicRule.History?, needsLoads: Bool
    ) async -> Result<Desk.Reach, WindfireError> {
        // Without a list of nodes nobody could be called: then nothing is kept either.
        guard registry.members(.push).isKnown else {
            return .failure(
                WindfireError(
                    .registryUnavailable, "the list of push servers was not read yet", retryAfter: .seconds(1)))
        }
        do throws(WindfireError) {
            switch target {
            case .topic(let topic):
                return .success(.topic(try await store.publish(messages, to: topic, keeping: history)))
            case .everyone:
                return .success(.everyone(loads: needsLoads ? try await store.loads() : [:]))
            }
        } catch {
            return .failure(error)
        }
    }

    private func make(_ call: NodeLink<PublishTicket>.Call, on member: Member) async -> Desk.Effects {
        do throws(WindfireError) {
            let outcomes = try await nodes.publish(call.batch, on: member)
            precondition(outcomes.count == call.tickets.count, "a node answers once per publication")
            let effects = state.withLock { state in
                state.figures.calls += 1
                return state.desk.answered(by: member.incarnation)
            }
            return effects.telling(zip(call.tickets, outcomes).map { ($0, .outcome($1)) })
        } catch {
            let code = error.code
            let effects = state.withLock { state in
                state.figures.calls += 1
                state.figures.failedCalls += 1
                return state.desk.failed(on: member.incarnation, code)
            }
            return effects.telling(call.tickets.map { ($0, .failed(member.id, code)) })
        }
    }

    /// Room is given free before anybody is told.
    private func tell(_ news: [(ticket: PublishTicket, news: PublishTally.News)]) {
        let settled = news.compactMap { ticket, news in ticket.enter(news).map { (ticket, $0) } }
        guard !settled.isEmpty else { return }
        state.withLock { state in
            state.desk.settled(settled.map { ticket, _ in (ticket.target, ticket.cost) })
            for (_, outcome) in settled { state.figures.count(outcome) }
        }
        for (ticket, _) in settled { ticket.tell() }
    }
}

extension PublishDesk.Effects {
    fileprivate func telling(_ earlier: [(ticket: Ticket, news: PublishTally.News)]) -> Self {
        var effects = self
        effects.news = earlier + news
        return effects
    }
}
