import Common
import Logging
import NodeRPC

/// Carries out a push to a list, or to one chunk of a job: finds the sessions of the targets, calls each node once with
/// the payload, and adds up what became of everyone. `Dispatcher+live` and `Dispatcher+stored` are the two ways.
///
/// Every look-up ends before the first call: when the route store is away, the caller hears `routes_unavailable` and
/// can be sure that nobody got anything, or that a repeat finds what was stored.
package struct Dispatcher: Sendable {
    package struct Configuration: Sendable {
        /// Clients in one look-up, or stored for at once. Large enough to fill a pipeline, small enough for several to
        /// share the work.
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
        package let id: UUIDv7
        package let targets: [ClientID]
        package let ledger: PushLedger
        package let phases: Phases
    }

    let configuration: Configuration
    let routes: any RouteStore
    let inboxes: any InboxStore
    private let registry: any Registry
    private let nodes: any NodeCaller
    private let offline: (any OfflineReporter)?
    /// Unix milliseconds.
    private let now: @Sendable () -> UInt64

    /// - Parameter offline: is told who was not there.
    package init(
        registry: any Registry, routes: any RouteStore, inboxes: any InboxStore, nodes: any NodeCaller,
        configuration: Configuration = Configuration(), offline: (any OfflineReporter)? = nil,
        now: @escaping @Sendable () -> UInt64 = WallClock.milliseconds
    ) {
        self.configuration = configuration
        self.registry = registry
        self.routes = routes
        self.inboxes = inboxes
        self.nodes = nodes
        self.offline = offline
        self.now = now
    }

    /// - Parameters:
    ///   - targets: each once. A job calls chunk by chunk, with the same id and parameters.
    ///   - id: of the push; its time is the push's. Live messages are known to devices by it, and the store recognises
    ///     a stored message that it has already.
    ///   - isRepeat: these targets may have been served before, by a run that died or whose answer was lost. A stored
    ///     message is then not stored twice.
    ///   - job: whose acknowledgements a stored message counts for; nodes hand a live one to each session once.
    /// - Throws: `registry_unavailable`, and then nothing was sent; `routes_unavailable`, and then nothing was sent but
    ///   nobody knows what was stored: call again with `isRepeat`.
    package func push(
        _ targets: [ClientID], _ parameters: PushParameters, as id: UUIDv7, isRepeat: Bool = false,
        job: JobID? = nil, traceID: String, logger: Logger
    ) async throws(WindfireError) -> Receipt {
        let call = Call(
            targets: targets, parameters: parameters, id: id, isRepeat: isRepeat, job: job, traceID: traceID,
            logger: logger)
        let receipt =
            switch parameters.mode {
            case .live: try await pushLive(call)
            case .stored: try await pushStored(call)
            }
        offline?.report(
            targets, in: receipt.ledger,
            of: OfflinePush(
                message: MessageID(unchecked: id.description), mode: parameters.mode == .live ? .live : .stored,
                isStored: parameters.mode == .stored, data: parameters.data,
                timestampMilliseconds: id.unixMilliseconds, traceID: traceID))
        return receipt
    }

    /// One call of `push`, as its steps hand it on.
    struct Call: Sendable {
        let targets: [ClientID]
        let parameters: PushParameters
        let id: UUIDv7
        let isRepeat: Bool
        let job: JobID?
        let traceID: String
        let logger: Logger

        /// What every node gets, but for the sessions.
        var template: Delivery {
            Delivery(
                message: MessageID(unchecked: id.description), timestampMilliseconds: id.unixMilliseconds,
                data: parameters.data, sessions: [], collapseKey: parameters.collapseKey, traceID: traceID,
                isChunk: job != nil)
        }
    }

    // MARK: Steps of both ways

    func makeLedger(_ targets: [ClientID]) -> PushLedger {
        PushLedger(
            targets: targets.count, keepsRows: targets.count <= configuration.limits.resultsPerAnswerMax)
    }

    /// Whether the message is worth nothing any more.
    func isOver(_ call: Call) -> Bool {
        guard let life = call.parameters.timeToLive else { return false }
        return call.id.unixMilliseconds + UInt64(clamping: life.components.seconds) * 1_000 <= now()
    }

    func knownMembers() throws(WindfireError) -> Members {
        let members = registry.members(.push)
        guard members.isKnown else {
            throw WindfireError(
                .registryUnavailable, "the list of push servers was not read yet", retryAfter: .seconds(1))
        }
        return members
    }

    /// Lists of at most `lookupSize`.
    func chunks<Element>(_ list: [Element]) -> [[Element]] {
        let size = configuration.lookupSize
        return stride(from: 0, to: list.count, by: size).map { Array(list[$0..<min($0 + size, list.count)]) }
    }

    /// Calls the nodes of a plan, several at once.
    func callNodes(
        _ template: Delivery, by plan: DeliveryPlan, logger: Logger
    ) async -> [(sessions: ArraySlice<PlannedSession>, answer: NodeAnswer)] {
        let size = configuration.limits.sessionsPerDeliverMax
        let answers = await plan.batches.concurrentMap(atOnce: configuration.nodesAtOnce) {
            [nodes] batch -> [(ArraySlice<PlannedSession>, NodeAnswer)] in
            var answers: [(ArraySlice<PlannedSession>, NodeAnswer)] = []
            for start in stride(from: 0, to: batch.sessions.count, by: size) {
                let sessions = batch.sessions[start..<min(start + size, batch.sessions.count)]
                var delivery = template
                delivery.sessions = sessions.map(\.route.session)
                delivery.places = sessions.compactMap(\.place)
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
        return answers.flatMap(\.self)
    }
}

extension UUIDv7 {
    /// When it was made (RFC 9562, section 5.7).
    var unixMilliseconds: UInt64 { high >> 16 }
}
