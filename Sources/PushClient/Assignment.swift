import Foundation

extension PushClient {
    /// A push server to dial.
    public struct Node: Hashable, Sendable {
        public let id: String
        /// `ws://…` or `wss://…`.
        public let url: String

        public init(id: String, url: String) {
            self.id = id
            self.url = url
        }
    }

    /// A token and where to go with it: the answer of `POST /v1/token`.
    public struct Assignment: Hashable, Sendable {
        public let token: String
        /// Unix time.
        public let expiresAt: Double
        public let node: Node
        /// Where to go when the node does not answer.
        public let alternatives: [Node]
        /// Middle of the server's heartbeat interval.
        public let heartbeat: Duration
        public let backoff: BackoffHints

        public init(
            token: String, expiresAt: Double, node: Node, alternatives: [Node] = [],
            heartbeat: Duration = .seconds(25), backoff: BackoffHints = .default
        ) {
            self.token = token
            self.expiresAt = expiresAt
            self.node = node
            self.alternatives = alternatives
            self.heartbeat = heartbeat
            self.backoff = backoff
        }

        /// Reads the JSON body of the answer, for a back end that asks on the device's behalf and hands the answer on.
        /// - Throws: `PushClientError` of kind `badAnswer` when it is not such an answer.
        public init(json: Data) throws(PushClientError) {
            do {
                let answer = try JSONDecoder().decode(TokenAnswer.self, from: json)
                guard let node = answer.node.dialable else {
                    throw PushClientError(.badAnswer, "the answer names no WebSocket address")
                }
                self.init(
                    token: answer.token, expiresAt: answer.expires_at, node: node,
                    alternatives: (answer.alternatives ?? []).compactMap(\.dialable),
                    heartbeat: .milliseconds(Int64(min(max(answer.heartbeat_s ?? 25, 0.1), 3_600) * 1_000)),
                    backoff: answer.backoff?.hints ?? .default)
            } catch let error as PushClientError {
                throw error
            } catch {
                throw PushClientError(.badAnswer, "the answer is not a token with a node")
            }
        }
    }
}

// The wire names, as the answer writes them.

private struct TokenAnswer: Decodable {
    let token: String
    let expires_at: Double
    let node: NodeAnswer
    let alternatives: [NodeAnswer]?
    let heartbeat_s: Double?
    let backoff: BackoffAnswer?
}

/// A node as the token answer and `move` frames write it.
struct NodeAnswer: Decodable {
    struct Endpoints: Decodable {
        let ws: String?
    }

    let id: String
    let endpoints: Endpoints?

    var dialable: PushClient.Node? { endpoints?.ws.map { PushClient.Node(id: id, url: $0) } }
}

private struct BackoffAnswer: Decodable {
    let base_ms: Double?
    let factor: Double?
    let max_ms: Double?
    let jitter: Double?

    var hints: PushClient.BackoffHints {
        PushClient.BackoffHints(
            base: .seconds((base_ms ?? 500) / 1_000), factor: factor ?? 2, max: .seconds((max_ms ?? 30_000) / 1_000),
            jitter: jitter ?? 1)
    }
}
