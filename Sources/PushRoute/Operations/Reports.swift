import Common

// What operator calls answer, as it is written in JSON.

/// `GET /v1/online`.
package struct OnlineReport: Encodable, Equatable, Sendable {
    /// Sum of what the nodes count themselves.
    package let online: Int
    /// Sessions in the route store.
    package let routes: Int
    /// `online` - `routes`: routes that are missing count up, ghosts count down.
    package let difference: Int
    package let nodes: [Node]

    package struct Node: Encodable, Equatable, Sendable {
        package let id: NodeID
        package let incarnation: Incarnation
        package let online: Int
        package let routes: Int
        package let state: NodeState
        package let weight: Int
        /// What the node says about itself; absent when it has said nothing for 10 s.
        package let load: LoadReport?
    }
}

/// As in the registry, and `gone` for an incarnation that is not there but may still have routes.
package enum NodeState: String, Encodable, Sendable {
    case up, draining, gone

    init(_ state: Member.State) {
        switch state {
        case .up: self = .up
        case .draining: self = .draining
        }
    }
}

package struct LoadReport: Encodable, Equatable, Sendable {
    package let online: Int
    /// Of one core per event loop, 0…1.
    package let cpu: Double
    package let loopLagMilliseconds: Double
    /// How old the report is.
    package let ageMilliseconds: UInt64

    enum CodingKeys: String, CodingKey {
        case online, cpu
        case loopLagMilliseconds = "loop_lag_ms"
        case ageMilliseconds = "age_ms"
    }

    /// - Returns: nil when the report is of another incarnation, or older than 10 s: nodes report every 2 s.
    init?(_ load: NodeLoad?, of incarnation: Incarnation, now: UInt64) {
        guard let load, load.incarnation == incarnation else { return nil }
        // A clock that is behind makes a report of the future; that one is fresh.
        let age = now > load.at ? now - load.at : 0
        guard age <= 10_000 else { return nil }
        online = load.online
        cpu = load.cpu.isFinite ? load.cpu : 0
        loopLagMilliseconds = load.loopLagMilliseconds.isFinite ? load.loopLagMilliseconds : 0
        ageMilliseconds = age
    }
}

/// `GET /v1/nodes`.
package struct NodesReport: Encodable, Equatable, Sendable {
    /// False while the registry is away and the list is the last known one.
    package let isCurrent: Bool
    package let nodes: [Node]

    package struct Node: Encodable, Equatable, Sendable {
        package let id: NodeID
        package let incarnation: Incarnation
        package let state: NodeState
        package let weight: Int
        package let capacity: Int
        package let zone: String?
        package let endpoints: Endpoints
        package let version: String
        package let startedAt: UInt64
        package let load: LoadReport?

        enum CodingKeys: String, CodingKey {
            case id, incarnation, state, weight, capacity, zone, endpoints, version
            case startedAt = "started_at"
            case load
        }
    }

    enum CodingKeys: String, CodingKey {
        case isCurrent = "current"
        case nodes
    }
}

/// `GET /v1/clients/{id}`.
package struct ClientReport: Encodable, Equatable, Sendable {
    package let client: ClientID
    package let isOnline: Bool
    package let sessions: [Session]

    package struct Session: Encodable, Equatable, Sendable {
        package let device: DeviceID
        package let node: NodeID
        package let incarnation: Incarnation
        package let state: NodeState
        package let session: String
        /// Unix milliseconds: the claim's epoch is the route store's clock, unless claims came faster than that.
        package let connectedAtMilliseconds: UInt64

        enum CodingKeys: String, CodingKey {
            case device, node, incarnation, state, session
            case connectedAtMilliseconds = "connected_at_ms"
        }
    }

    enum CodingKeys: String, CodingKey {
        case client
        case isOnline = "online"
        case sessions
    }
}

/// `DELETE /v1/clients/{id}/sessions`.
package struct KickReport: Encodable, Equatable, Sendable {
    package let client: ClientID
    /// How many sessions are being closed.
    package let kicked: Int
    /// Sessions whose node could not be asked.
    package let failed: [Failure]

    package struct Failure: Encodable, Equatable, Sendable {
        package let device: DeviceID
        package let node: NodeID
        package let reason: String
    }
}
