import Foundation

extension PushClient {
    /// What was pushed to this client.
    public struct Message: Hashable, Sendable {
        /// Names it in acknowledgements.
        public let id: String
        /// One JSON value, byte for byte as it was pushed.
        public let data: [UInt8]
        /// When it was pushed: Unix time in ms, by the server's clock.
        public let timestamp: Int
        /// The client that sent it; nil when it came from a back end.
        public let from: String?
        /// Whether the server keeps it until it is acknowledged.
        public let wantsAcknowledgement: Bool
        /// What it was published to; nil when it was for this client.
        public let topic: String?
        /// Its place in what the topic keeps: `subscribe` goes on behind it, when it is given as `since`. Nil where the
        /// topic keeps nothing.
        public let position: String?

        public init(
            id: String, data: [UInt8], timestamp: Int, from: String? = nil, wantsAcknowledgement: Bool,
            topic: String? = nil, position: String? = nil
        ) {
            self.id = id
            self.data = data
            self.timestamp = timestamp
            self.from = from
            self.wantsAcknowledgement = wantsAcknowledgement
            self.topic = topic
            self.position = position
        }

        /// The data as a value of the application.
        public func decode<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
            try JSONDecoder().decode(type, from: Data(data))
        }
    }

    /// The messages, in the order of their coming, each once, across all reconnects. Ends when the client is closed.
    ///
    /// One buffer of bounded size stands behind it: several loops over it share the messages. While the buffer is full,
    /// the client stops reading, and the server's limits for slow clients apply.
    public struct Messages: AsyncSequence, Sendable {
        let queue: MessageQueue

        public struct AsyncIterator: AsyncIteratorProtocol {
            let queue: MessageQueue

            public mutating func next() async -> Message? { await queue.next() }

            public mutating func next(isolation actor: isolated (any Actor)?) async -> Message? { await queue.next() }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
    }
}
