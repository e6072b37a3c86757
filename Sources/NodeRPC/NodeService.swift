import Common

/// What a push server does when another role asks, in the words of `node.proto`. PushServer conforms; the gRPC server
/// in this target translates.
package protocol NodeService: Sendable {
    /// The life that this service speaks for; calls that name another are refused before they get here.
    var incarnation: Incarnation { get }

    /// One outcome per session, in the order of the request.
    func deliver(_ delivery: Delivery) async -> [DeliveryOutcome]

    /// - Returns: how many of the sessions were here and are being closed.
    func kick(_ sessions: [SessionID], for reason: CloseReason) async -> Int

    /// Hands messages to subscribers, in their order, after those of the link's earlier calls. One outcome per
    /// publication, in the same order, when all of them are handed over: so a publisher that waits for the answer is
    /// never faster than the node.
    /// - Throws: `conflict` when the turn of this call has passed without it: nothing was delivered.
    func publish(_ batch: PublishBatch) async throws(WindfireError) -> [PublishOutcome]

    func figures(of topic: Topic) async -> TopicFigures
}

/// Who can be asked: PushRoute and PushServer call nodes through this. The gRPC client in this target conforms; tests
/// use a node in memory.
package protocol NodeCaller: Sendable {
    /// - Throws: `node_unavailable` when the node cannot be reached or does not answer in time (what became of the
    ///   message is unknown), `not_found` when it answers that it is another incarnation now.
    func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome]

    /// - Throws: as `deliver`.
    func kick(_ sessions: [SessionID], for reason: CloseReason, on member: Member) async throws(WindfireError) -> Int

    /// - Throws: as `deliver`, and `conflict` when the call came too late to be in order: nothing was delivered.
    func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome]

    /// - Throws: as `deliver`.
    func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures
}

/// One payload and the sessions of one node it is for.
package struct Delivery: Hashable, Sendable {
    package var message: MessageID
    /// Unix milliseconds of the push.
    package var timestampMilliseconds: UInt64
    /// One JSON value.
    package var data: [UInt8]
    package var sessions: [SessionID]
    /// Set when another client sent it.
    package var from: ClientID?
    /// A newer message with this key may replace an older one that still waits in an outbox.
    package var collapseKey: String?
    /// 32 hex digits, W3C Trace Context; empty when the caller has none.
    package var traceID: String
    /// For a stored message: where it lies in each session's inbox, in the order of `sessions`. Empty for a live one.
    package var places: [StoredPlace]
    /// Part of a job, and so perhaps called again by another runner: a live message is then handed to each session
    /// once, however often the call is repeated.
    package var isChunk: Bool

    package init(
        message: MessageID, timestampMilliseconds: UInt64, data: [UInt8], sessions: [SessionID], from: ClientID? = nil,
        collapseKey: String? = nil, traceID: String = "", places: [StoredPlace] = [], isChunk: Bool = false
    ) {
        precondition(places.isEmpty || places.count == sessions.count, "a stored message has a place for each session")
        self.message = message
        self.timestampMilliseconds = timestampMilliseconds
        self.data = data
        self.sessions = sessions
        self.from = from
        self.collapseKey = collapseKey
        self.traceID = traceID
        self.places = places
        self.isChunk = isChunk
    }
}

/// What became of a message for one session. Raw values are those on the wire.
package enum DeliveryOutcome: UInt8, Hashable, Sendable {
    /// Handed to the session: to the kernel, or to its outbox while the kernel's buffer is full. A stored message may
    /// also wait for earlier ones to be acknowledged; it is sent in its turn.
    case written = 0
    /// The session is not on this node.
    case gone = 1
    /// The outbox is full and its policy does not make room.
    case refused = 2
}
