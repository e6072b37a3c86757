import Common
import Logging
import Synchronization

/// Keeps the `Assigner` up to date: members from the registry as they change, loads from the route store every two
/// seconds. When either is away, the last known figures stay.
package final class NodeDirectory: Sendable {
    /// A node as it is shown to devices.
    package struct Node: Hashable, Sendable {
        package let id: NodeID
        package let endpoints: Endpoints
    }

    package struct Choice: Hashable, Sendable {
        package let node: Node
        package let alternatives: [Node]
    }

    private struct State {
        var assigner: Assigner
        var members = Members.unknown
        var endpoints: [NodeID: Endpoints] = [:]
    }

    private let registry: any Registry
    private let routes: any RouteStore
    private let logger: Logger
    /// Unix milliseconds.
    private let now: @Sendable () -> UInt64
    private let state: Mutex<State>

    init(
        assigner: Assigner, registry: any Registry, routes: any RouteStore, logger: Logger,
        now: @escaping @Sendable () -> UInt64
    ) {
        self.registry = registry
        self.routes = routes
        self.logger = logger
        self.now = now
        state = Mutex(State(assigner: assigner))
    }

    /// Reads members and loads once.
    func refresh() async {
        let members = registry.members(.push)
        do {
            take(members, loads: try await routes.loads())
        } catch {
            logger.debug("Loads not read", metadata: [Logger.Metadata.Key.error: "\(error)"])
            take(members, loads: nil)
        }
    }

    /// Follows both until cancelled.
    func follow(loadsEvery interval: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                for await members in registry.changes(.push) { take(members, loads: nil) }
            }
            group.addTask { [self] in
                while !Task.isCancelled {
                    await refresh()
                    try? await Task.sleep(for: interval)
                }
            }
        }
    }

    func assign(_ client: ClientID, zone: String?) -> Choice? {
        state.withLock { state in
            var random = SystemRandomNumberGenerator()
            guard let assignment = state.assigner.assign(client, zone: zone, random: &random) else { return nil }
            return Self.choice(assignment, state.endpoints)
        }
    }

    /// For a client that is connected already and only needs a new token.
    func keep(_ node: NodeID, for client: ClientID) -> Choice? {
        state.withLock { state in
            state.assigner.keeping(node, for: client).map { Self.choice($0, state.endpoints) }
        }
    }

    package var isKnown: Bool { state.withLock { $0.members.isKnown } }

    /// Every node with its effective weight, for metrics.
    package var nodes: [AssignmentNode] { state.withLock { $0.assigner.nodes } }

    private func take(_ members: Members, loads: [NodeID: NodeLoad]?) {
        let now = now()
        state.withLock { state in
            // A registry that was never read must not empty a list that was.
            let members = members.isKnown ? members : state.members
            state.members = members
            state.assigner.update(members, loads: loads, now: now)
            state.endpoints = members.byID.mapValues { $0.endpoints.shownToDevices }
        }
    }

    private static func choice(_ assignment: Assignment, _ endpoints: [NodeID: Endpoints]) -> Choice {
        func node(_ id: NodeID) -> Node { Node(id: id, endpoints: endpoints[id] ?? Endpoints()) }
        return Choice(node: node(assignment.node), alternatives: assignment.alternatives.map(node))
    }
}

extension Endpoints {
    /// Without gRPC, which is between the roles.
    var shownToDevices: Endpoints {
        var shown = self
        shown.grpc = nil
        return shown
    }
}
