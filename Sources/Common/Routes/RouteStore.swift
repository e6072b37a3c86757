/// Which client is on which node. One contract, two implementations: in memory (`InMemoryRouteStore`, for `windfire
/// dev` and tests) and Redis (`RedisStore`). The contract suite in TestKit runs on both.
///
/// Routes are soft state: the truth is the connections, and every node can claim its sessions again. What the store
/// must get right is order: for one client and device the session with the highest epoch wins, whatever the order in
/// which writes arrive.
///
/// Every method throws `routes_unavailable` when the store does not answer in time; the caller then knows nothing about
/// whether the write happened, and every write is safe to repeat.
package protocol RouteStore: Sendable {
    /// A device has connected: gives the next epoch and writes the session, in one step with the checks; and answers
    /// with the first page of what the device has not acknowledged (`InboxStore`).
    func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult

    /// Writes a session again under the epoch it already has, after an outage or a wiped store. Never displaces a
    /// newer session; the bucket's epoch rises to at least the one given. Keeping what is already there is `.kept` too.
    func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult

    /// A connection ended: removes the session only if it is still this very session (incarnation and session id).
    /// - Returns: whether something was removed. A late release returns false and changes nothing.
    @discardableResult
    func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool

    /// The sessions of many clients at once: one answer per client, in the same order, empty for offline ones.
    /// The hot read of a list push. Any number of clients; implementations cut and pipeline as they need.
    func locate(_ clients: [ClientID]) async throws(WindfireError) -> [[Route]]

    /// Says that an incarnation exists and may hold routes, so that it can be buried when it is gone. Idempotent; a
    /// node calls it before its first claim and with each load report (a wiped store learns it again).
    func announce(_ incarnation: Incarnation) async throws(WindfireError)

    /// Every incarnation announced and not yet buried.
    func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation>

    /// An incarnation is gone: removes every route that still names it, and its announcement.
    /// - Returns: how many routes were removed.
    @discardableResult
    func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int

    /// How many sessions each bucket holds for an incarnation; buckets with none may be left out.
    func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int]

    /// The sessions of one bucket on an incarnation, to compare with the node's own.
    func sessions(of incarnation: Incarnation, in bucket: Bucket) async throws(WindfireError) -> [ClientRoute]

    /// The generation a new token of this client must carry.
    func generation(of client: ClientID) async throws(WindfireError) -> Generation

    /// Makes every token of the client so far invalid: raises the generation and records the revocation for the nodes.
    func revoke(_ client: ClientID) async throws(WindfireError) -> Generation

    /// Revocations recorded at or after a cursor, for nodes that close live sessions. Start with `.start`, which gives
    /// those of the last minutes; then hand in the cursor of the last answer. Entries may be repeated, never left out,
    /// as long as calls are less than an hour apart.
    func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage

    /// A node's changing figures, every 2 s. They age: readers ignore reports older than 10 s.
    func reportLoad(_ load: NodeLoad) async throws(WindfireError)

    /// The last report of each node, by node.
    func loads() async throws(WindfireError) -> [NodeID: NodeLoad]

    /// Takes a named lease if it is free or already this holder's, for so long. For the janitor: it need not be exact.
    func acquireLease(_ name: String, holder: Incarnation, for duration: Duration) async throws(WindfireError) -> Bool
}

/// What a node asks for when a device has connected.
package struct RouteClaim: Hashable, Sendable {
    package let client: ClientID
    package let device: DeviceID
    package let incarnation: Incarnation
    package let session: SessionID
    /// The generation of the token presented.
    package let generation: Generation
    /// False for a device that does not take stored messages: nothing is kept for it, and it is not waited for.
    package let wantsInbox: Bool

    package init(
        client: ClientID, device: DeviceID, incarnation: Incarnation, session: SessionID, generation: Generation,
        wantsInbox: Bool = true
    ) {
        self.client = client
        self.device = device
        self.incarnation = incarnation
        self.session = session
        self.generation = generation
        self.wantsInbox = wantsInbox
    }
}

package enum ClaimResult: Hashable, Sendable {
    /// The session is routed. Those it displaces (the same device's earlier one, and the oldest beyond the device
    /// limit) are no longer routed and are to be closed wherever they are. `inbox` is what the device has not
    /// acknowledged; what is stored from now on finds the session.
    case granted(Epoch, displaced: [Route], inbox: InboxPage)
    /// The token's generation is older than the client's.
    case revoked
    /// This client and device displaced each other too often; nothing was written.
    case conflict(retryAfter: Duration)
}

package enum ReclaimResult: Hashable, Sendable {
    case kept
    /// A newer session of the same client and device is routed.
    case superseded
    /// The token's generation is older than the client's.
    case revoked
}

/// A place in the record of revocations: milliseconds of the store's clock.
package struct RevocationCursor: Hashable, Sendable {
    package let milliseconds: UInt64
    package init(milliseconds: UInt64) { self.milliseconds = milliseconds }
    package static let start = RevocationCursor(milliseconds: 0)
}

package struct RevocationPage: Hashable, Sendable {
    package let revoked: [ClientID: Generation]
    package let next: RevocationCursor
    package init(revoked: [ClientID: Generation], next: RevocationCursor) {
        self.revoked = revoked
        self.next = next
    }
}
