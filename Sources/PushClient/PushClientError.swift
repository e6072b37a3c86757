/// Why a call of the client library failed.
public struct PushClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is. More may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There is no connection now; the client is working on it, or was closed.
        public static let notConnected = Kind(description: "notConnected")
        /// The server answered with an error; `code` has its name.
        public static let refused = Kind(description: "refused")
        /// No answer in time.
        public static let timedOut = Kind(description: "timedOut")
        /// What was to be sent is not one JSON value, or too much is under way.
        public static let invalidInput = Kind(description: "invalidInput")
        /// The token service does not answer, or asks to come back later.
        public static let unavailable = Kind(description: "unavailable")
        /// The server's certificate is not signed by an authority that is trusted, or is for another name.
        public static let untrusted = Kind(description: "untrusted")
        /// An answer could not be understood.
        public static let badAnswer = Kind(description: "badAnswer")
    }

    public let kind: Kind
    public let message: String
    /// The server's stable name of the failure, such as `forbidden`.
    public let code: String?
    /// How long the server asked to wait.
    public let retryAfter: Duration?

    public init(_ kind: Kind, _ message: String, code: String? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.code = code
        self.retryAfter = retryAfter
    }

    public var description: String { "\(code ?? kind.description): \(message)" }
}
