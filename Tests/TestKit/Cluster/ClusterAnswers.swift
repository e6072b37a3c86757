// What the HTTP APIs answer, as a caller who is not us would read it: only what is documented, by its wire name.

/// `POST /v1/token`.
package struct TokenGrant: Decodable, Sendable {
    package struct Node: Decodable, Sendable {
        package struct Endpoints: Decodable, Sendable {
            package let ws: String?
        }

        package let id: String
        package let endpoints: Endpoints
    }

    package let token: String
    package let client: String
    package let device: String
    package let node: Node
    package let alternatives: [Node]
}

/// `POST /v1/push`.
package struct PushReceipt: Decodable, Sendable {
    package struct Row: Decodable, Sendable {
        package let client: String
        package let device: String?
        package let status: String
        package let node: String?
        package let reason: String?
    }

    package let id: String
    package let total: Int
    package let delivered: Int
    package let offline: Int
    package let failed: Int
    /// Every target, in a small push.
    package let results: [Row]?
    /// What was not delivered, in a large one.
    package let undelivered: [Row]?
}

/// `GET /v1/jobs/{id}`.
package struct JobAnswer: Decodable, Sendable {
    package let state: String
    package let total: Int
    package let delivered: Int
    package let offline: Int
    package let failed: Int
    package let chunks: Int
    package let done_chunks: Int
}

/// `GET /v1/online`.
package struct OnlineAnswer: Decodable, Sendable {
    package struct Node: Decodable, Sendable {
        package let id: String
        package let incarnation: String
        package let online: Int
        package let routes: Int
        package let state: String
    }

    package let online: Int
    package let routes: Int
    package let difference: Int
    package let nodes: [Node]

    /// How many nodes are registered and take connections.
    package var up: [Node] { nodes.filter { $0.state == "up" } }
}

/// `GET /v1/clients/{id}`.
package struct ClientAnswer: Decodable, Sendable {
    package struct Session: Decodable, Sendable, Hashable {
        package let device: String
        package let node: String
        package let incarnation: String
        package let session: String
    }

    package let client: String
    package let online: Bool
    package let sessions: [Session]
}

/// RFC 9457.
package struct ProblemAnswer: Decodable, Sendable {
    package let code: String
    package let detail: String
}
