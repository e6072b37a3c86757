/// What a process tells the others about itself: the JSON of its ephemeral entry in the registry.
package struct Member: Hashable, Sendable, Codable {
    package enum Role: String, Sendable, CaseIterable {
        case push, route
    }

    package enum State: String, Sendable, Codable {
        case up, draining
    }

    package let incarnation: Incarnation
    package var state: State
    /// Relative share of new clients; 0 takes none.
    package var weight: Int
    /// Sessions the node is willing to hold.
    package var capacity: Int
    package var zone: String?
    package var endpoints: Endpoints
    package let version: String
    /// Unix time, in seconds.
    package let startedAt: UInt64

    package init(
        incarnation: Incarnation, state: State = .up, weight: Int = 100, capacity: Int, zone: String? = nil,
        endpoints: Endpoints, version: String, startedAt: UInt64
    ) {
        self.incarnation = incarnation
        self.state = state
        self.weight = weight
        self.capacity = capacity
        self.zone = zone
        self.endpoints = endpoints
        self.version = version
        self.startedAt = startedAt
    }

    package var id: NodeID { incarnation.node }

    enum CodingKeys: String, CodingKey {
        case incarnation, state, weight, capacity, zone, endpoints, version
        case startedAt = "started_at"
    }
}

/// Where a process can be reached. `ws` is a URL a device can dial; `grpc` is `host:port` for the other roles only and
/// is never shown to devices.
package struct Endpoints: Hashable, Sendable, Codable {
    package var ws: String?
    package var mqtt: String?
    package var stomp: String?
    package var janus: String?
    package var grpc: String?

    package init(
        ws: String? = nil, mqtt: String? = nil, stomp: String? = nil, janus: String? = nil, grpc: String? = nil
    ) {
        self.ws = ws
        self.mqtt = mqtt
        self.stomp = stomp
        self.janus = janus
        self.grpc = grpc
    }
}
