import Common
import Logging
import NodeRPC

/// Carries out a push: looks the targets up, calls each node once with the payload, looks up once more what was not
/// found, and adds up what became of everyone.
///
/// All look-ups end before the first call: when the route store is away, the caller hears `routes_unavailable` and can
/// be sure that nobody got anything.
package struct Dispatcher: Sendable {
    package struct Configuration: Sendable {
        /// Clients in one look-up. Large enough to fill a pipeline, small enough for several to share the work.
        package var lookupSize = 10_000
        package var lookupsAtOnce = 4
        /// Nodes called at the same time.
        package var nodesAtOnce = 64
        package var limits = Limits.default

        package init() {}
    }

    /// How long the parts took.
    package struct Phases: Hashable, Sendable {
        package var lookup = Duration.zero
        package var delivery = Duration.zero
    }

    package struct Receipt: Sendable {
        package let message: MessageID
        package let targets: [ClientID]
        package let ledger: PushLedger
        package let phases: Phases
    }

    private let configuration: Configuration
    private let registry: any Registry
    private let routes: any RouteStore
    private let nodes: any NodeCaller

    package init(
        registry: any Registry, routes: any RouteStore, nodes: any NodeCaller,
        configuration: Configuration = Configuration()
    ) {
        self.configuration = configuration
        self.registry = registry
        self.routes = routes
        self.nodes = nodes
    }

    /// - Throws: `routes_unavailable` or `registry_unavailable`, and then nothing was sent.
    package func push(
        _ request: PushRequest, as message: MessageID, timestampMilliseconds: UInt64, traceID: String, logger: Logger
    ) async throws(WindfireError) -> Receipt {
        var phases = Phases()
        let clock = ContinuousClock()
        let start = clock.now
        let located = try await locate(request.targets)
        let members = try knownMembers()
        let plan = DeliveryPlan(located: located, members: members)
        let locatedAt = clock.now
        phases.lookup = locatedAt - start

        var ledger = PushLedger(
            targets: request.targets.count,
            keepsRows: request.targets.count <= configuration.limits.resultsPerAnswerMax)
        let template = Delivery(
            message: message, timestampMilliseconds: timestampMilliseconds, data: request.data, sessions: [],
            collapseKey: request.collapseKey, traceID: traceID)
        var round = await deliver(template, by: plan, into: &ledger, logger: logger)
        phases.delivery = clock.now - locatedAt
        if !round.open.isEmpty {
            await retry(&round, of: request, template, into: &ledger, phases: &phases, logger: logger)
        }
        return Receipt(message: message, targets: request.targets, ledger: ledger, phases: phases)
    }

    /// The second and last round.
    private func retry(
        _ round: inout DeliveryRound, of request: PushRequest, _ template: Delivery, into ledger: inout PushLedger,
        phases: inout Phases, logger: Logger
    ) async {
        let clock = ContinuousClock()
        let start = clock.now
        let targets = round.openTargets
        let plan: DeliveryPlan
        do throws(WindfireError) {
            let located = try await locate(targets.map { request.targets[$0] })
            plan = DeliveryPlan.retry(
                targets: targets, located: located, tried: round.tried, settled: round.settledDevices,
                members: try knownMembers())
        } catch {
            // Some have the message already, so the push as a whole can no longer be refused.
            round.close(withoutLookup: error.code.name, into: &ledger)
            return
        }
        phases.lookup += clock.now - start
        round.close(except: plan, into: &ledger)
        let deliveryStart = clock.now
        var last = await deliver(template, by: plan, into: &ledger, logger: logger)
        last.closeForGood(into: &ledger)
        phases.delivery += clock.now - deliveryStart
    }

    private func knownMembers() throws(WindfireError) -> Members {
        let members = registry.members(.push)
        guard members.isKnown else {
            throw WindfireError(
                .registryUnavailable, "the list of push servers was not read yet", retryAfter: .seconds(1))
        }
        return members
    }

    private func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]] {
        let size = configuration.lookupSize
        let chunks = stride(from: 0, to: clients.count, by: size).map {
            Array(clients[$0..<min($0 + size, clients.count)])
        }
        let answers = await chunks.concurrentMap(atOnce: configuration.lookupsAtOnce) {
            [routes] chunk -> Result<[[Route]], WindfireError> in
            do throws(WindfireError) { return .success(try await routes.locate(chunk)) } catch {
                return .failure(error)
            }
        }
        var located: [[Route]] = []
        located.reserveCapacity(clients.count)
        for answer in answers { located += try answer.get() }
        precondition(located.count == clients.count, "a look-up answers once per client")
        return located
    }

    private func deliver(
        _ template: Delivery, by plan: DeliveryPlan, into ledger: inout PushLedger, logger: Logger
    ) async -> DeliveryRound {
        let size = configuration.limits.sessionsPerDeliverMax
        let answers = await plan.batches.concurrentMap(atOnce: configuration.nodesAtOnce) {
            [nodes] batch -> [(ArraySlice<PlannedSession>, NodeAnswer)] in
            var answers: [(ArraySlice<PlannedSession>, NodeAnswer)] = []
            for start in stride(from: 0, to: batch.sessions.count, by: size) {
                let sessions = batch.sessions[start..<min(start + size, batch.sessions.count)]
                var delivery = template
                delivery.sessions = sessions.map(\.route.session)
                do throws(WindfireError) {
                    answers.append((sessions, .outcomes(try await nodes.deliver(delivery, to: batch.member))))
                } catch {
                    logger.debug(
                        "A node did not take a delivery",
                        metadata: [
                            Logger.Metadata.Key.incarnation: "\(batch.member.incarnation)",
                            Logger.Metadata.Key.error: "\(error)",
                        ])
                    answers.append((sessions, NodeAnswer(error)))
                }
            }
            return answers
        }
        var round = DeliveryRound()
        for (sessions, answer) in answers.joined() { round.enter(answer, for: sessions, into: &ledger) }
        return round
    }
}
