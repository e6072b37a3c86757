import Common
import Logging
import NIOConcurrencyHelpers

/// The nodes of a Redis Cluster and who serves which slot. Asks for the map when there is none, when a command was
/// redirected, and when a node is in trouble; never more than once at a time.
final class ClusterTopology: Sendable {
    private struct State {
        var map = SlotMap()
        var nodes: [RedisAddress: RedisNode] = [:]
        var refresh: Task<RedisFailure?, Never>?
        var refreshedAt: ContinuousClock.Instant?
        var isShutDown = false
    }

    private let seeds: [RedisAddress]
    private let environment: @Sendable (ClusterTopology) -> RedisNode.Environment
    private let state = NIOLockedValueBox(State())

    /// A map younger than this is not asked for again in the background: during a migration every second reply may be a
    /// redirection.
    private static let freshFor: Duration = .milliseconds(200)

    init(
        seeds: [RedisAddress], environment: @escaping @Sendable (ClusterTopology) -> RedisNode.Environment
    ) {
        self.seeds = seeds
        self.environment = environment
    }

    /// The node at this address, dialled if it is new. nil after the end.
    func node(at address: RedisAddress) -> RedisNode? {
        state.withLockedValue { state in
            guard !state.isShutDown else { return nil }
            if let node = state.nodes[address] { return node }
            let node = RedisNode(address, environment(self))
            state.nodes[address] = node
            return node
        }
    }

    /// The master of a slot, or of any slot; nil when nobody is known to serve it.
    func address(of slot: Slot?) -> RedisAddress? {
        state.withLockedValue { state in slot.map { state.map[$0] } ?? state.map.masters.randomElement() }
    }

    var masters: [RedisAddress] { state.withLockedValue(\.map.masters) }
    var coveredCount: Int { state.withLockedValue(\.map.coveredCount) }

    /// A node has said where a slot is now.
    func moved(_ slot: Slot, to address: RedisAddress) {
        state.withLockedValue { $0.map.set(slot, to: address) }
        refreshSoon()
    }

    /// Asks for the map in the background, unless it is fresh.
    func refreshSoon() {
        let isFresh = state.withLockedValue { state in
            state.refreshedAt.map { ContinuousClock.now - $0 < Self.freshFor } ?? false
        }
        if !isFresh { _ = refreshTask() }
    }

    /// Asks for the map and waits for it.
    /// - Returns: why there is none, if nobody gave one.
    func refresh() async -> RedisFailure? { await refreshTask().value }

    func shutDown() async {
        let (nodes, refresh) = state.withLockedValue { state in
            defer {
                state.isShutDown = true
                state.nodes = [:]
            }
            return (Array(state.nodes.values), state.refresh)
        }
        for node in nodes { await node.shutDown() }
        _ = await refresh?.value
    }

    // MARK: Refreshing

    private func refreshTask() -> Task<RedisFailure?, Never> {
        state.withLockedValue { state in
            if let refresh = state.refresh { return refresh }
            let refresh = Task {
                let failure = await self.askAround()
                self.state.withLockedValue {
                    $0.refresh = nil
                    $0.refreshedAt = .now
                }
                return failure
            }
            state.refresh = refresh
            return refresh
        }
    }

    /// The masters in random order, then the configured nodes, until one answers.
    private func askAround() async -> RedisFailure? {
        let known = masters.shuffled()
        var failure = RedisFailure.unreachable("no node of the cluster answers")
        for address in known + seeds.shuffled().filter({ !known.contains($0) }) {
            guard let node = node(at: address) else { return .shutDown }
            switch await node.execute([RedisCommand("CLUSTER", "SLOTS")]).first {
            case .success(.error(let error)):
                failure = error.kind == .notAuthorized ? .refused(error.text) : .unreachable(error.text)
            case .success(let reply):
                if let map = SlotMap(clusterSlots: reply, asked: address), map.coveredCount > 0 {
                    adopt(map)
                    return nil
                }
                failure = .unreachable("the cluster serves no slots")
            case .failure(let error): failure = error
            case nil: break
            }
        }
        return failure
    }

    /// Nodes that serve nothing any more are let go; the configured ones stay, to ask.
    private func adopt(_ map: SlotMap) {
        let idle = state.withLockedValue { state in
            state.map = map
            let wanted = Set(map.masters).union(seeds)
            let idle = state.nodes.filter { !wanted.contains($0.key) }
            for address in idle.keys { state.nodes[address] = nil }
            return idle.values
        }
        // Nobody waits for that: a node that is dead takes a connect timeout to let go.
        Task { for node in idle { await node.shutDown() } }
    }
}
