import Common
import HTTPSupport

/// `POST /v1/token`.
struct TokenRequest: StrictBody, Sendable {
    static let bytesMax = 16 << 10
    static let zoneBytesMax = 64

    enum Field: String, CodingKey, CaseIterable {
        case client, device, secret, zone
    }

    /// May be left out when the credential names the client.
    let client: ClientID?
    let device: DeviceID
    let secret: String?
    let zone: String?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Field.self)
        client = try container.decodeIfPresent(ClientID.self, forKey: .client)
        device = try container.decodeIfPresent(DeviceID.self, forKey: .device) ?? .default
        secret = try container.decodeIfPresent(String.self, forKey: .secret)
        zone = try container.decodeIfPresent(String.self, forKey: .zone)
        guard zone.map({ (1...Self.zoneBytesMax).contains($0.utf8.count) }) ?? true else {
            throw WindfireError(.invalidRequest, "zone has 1 to \(Self.zoneBytesMax) bytes")
        }
    }
}

/// `POST /v1/revoke`.
struct RevokeRequest: StrictBody, Sendable {
    enum Field: String, CodingKey, CaseIterable {
        case client
    }

    let client: ClientID

    init(from decoder: any Decoder) throws {
        client = try decoder.container(keyedBy: Field.self).decode(ClientID.self, forKey: .client)
    }
}

struct RevokeAnswer: Encodable {
    let client: ClientID
    let generation: UInt64
}

/// The answer to a login and to a refresh: all that a device needs to connect and to come back.
struct TokenAnswer: Encodable {
    struct Node: Encodable {
        let id: NodeID
        let endpoints: Endpoints

        init(_ node: NodeDirectory.Node) {
            id = node.id
            endpoints = node.endpoints
        }
    }

    let token: String
    /// Unix seconds.
    let expiresAt: Int64
    let client: ClientID
    let device: DeviceID
    let node: Node
    let alternatives: [Node]
    let heartbeatSeconds: Int64
    let backoff: AuthServiceConfiguration.Backoff

    init(_ issued: TokenIssuer.Issued, _ configuration: AuthServiceConfiguration) {
        token = issued.token
        expiresAt = issued.claims.expiresAt
        client = issued.claims.client
        device = issued.claims.device
        node = Node(issued.choice.node)
        alternatives = issued.choice.alternatives.map(Node.init)
        heartbeatSeconds = configuration.heartbeat.components.seconds
        backoff = configuration.backoff
    }

    enum CodingKeys: String, CodingKey {
        case token
        case expiresAt = "expires_at"
        case client, device, node, alternatives
        case heartbeatSeconds = "heartbeat_s"
        case backoff
    }
}

/// `/.well-known/jwks.json`.
struct KeySetAnswer: Encodable {
    let keys: [PublicJWK]
}
