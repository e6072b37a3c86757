/// Who is there. One contract, two implementations: in memory (`InMemoryRegistry`) and ZooKeeper (`ZooKeeperRegistry`).
/// The contract suite in TestKit runs on both.
///
/// Losing the registry never takes the last known list away: readers go on with it, and `state` says how old it is.
package protocol Registry: Sendable {
    /// Enters `member` and keeps it entered until `withdraw`, through lost connections and expired sessions, under the
    /// same incarnation. Returns once the entry stands; while the registry is away, it waits. Entering the same
    /// incarnation again is an update.
    /// - Throws: `node_id_taken` when another live process holds the same node id (a crashed predecessor's entry is
    ///   waited for: up to two session timeouts in touch); `registry_unavailable` when the registry does not let us
    ///   write; `not_ready` when the task is cancelled or the registry is shut down while waiting.
    func register(_ member: Member, as role: Member.Role) async throws(WindfireError)

    /// Replaces what the entry says (state, weight, …). Returns once it is written; while the registry is away, at
    /// once, and it is written when the registry is back.
    /// - Throws: `not_found` when the node was not registered here, or was withdrawn.
    func update(_ member: Member, as role: Member.Role) async throws(WindfireError)

    /// Removes the entry, like `update` in time. Removing what is not there is fine.
    func withdraw(_ id: NodeID, as role: Member.Role) async throws(WindfireError)

    /// The last known list, at once.
    func members(_ role: Member.Role) -> Members

    /// The list now and each time it changes, newest only: a slow reader skips intermediate lists.
    func changes(_ role: Member.Role) -> AsyncStream<Members>

    /// The connection's state now.
    var state: RegistryState { get }

    /// The state now and each time it changes, none skipped. A node re-claims its sessions when it sees
    /// `.connected(afterExpiry: true)`.
    func stateChanges() -> AsyncStream<RegistryState>

    /// Holds the connection until cancelled; the entries are withdrawn on the way out.
    func run() async throws
}

package enum RegistryState: Hashable, Sendable {
    /// Not yet connected since the start.
    case connecting
    /// In touch. `afterExpiry` tells that the session is a new one and everything ephemeral had to be made again.
    case connected(afterExpiry: Bool)
    /// Out of touch; lists are the last known ones.
    case disconnected

    package var isConnected: Bool {
        if case .connected = self { true } else { false }
    }
}

/// One reading of a role's list.
package struct Members: Hashable, Sendable {
    package let byID: [NodeID: Member]
    /// False until the registry was read once.
    package let isKnown: Bool

    package init(_ members: [Member], isKnown: Bool = true) {
        byID = Dictionary(members.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.isKnown = isKnown
    }

    package static let unknown = Members([], isKnown: false)

    /// Sorted by id, so that every process sees one order.
    package var sorted: [Member] { byID.values.sorted { $0.id < $1.id } }

    package func contains(_ incarnation: Incarnation) -> Bool { byID[incarnation.node]?.incarnation == incarnation }
}
