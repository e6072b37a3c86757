extension PushClient {
    /// How a client logs in and how patient it is.
    public struct Configuration: Sendable {
        /// Where the token comes from.
        public enum Login: Sendable {
            /// The client asks the token service itself. `service` is its base URL, such as `https://auth.example`.
            case secret(service: String, client: String, device: String, secret: String)
            /// The application knows how to get one, usually from its own back end. Called for each new token. Throw a
            /// `PushClientError` of kind `refused` to close the client; anything else is tried again later.
            case provider(@Sendable () async throws -> Assignment)
        }

        public var login: Login
        /// Messages that may wait for the application before the client stops reading.
        public var bufferedMessagesMax = 256
        /// For one TCP connection, TLS included.
        public var connectTimeout = Duration.seconds(10)
        /// From the dial to the welcome.
        public var welcomeTimeout = Duration.seconds(15)
        /// For the token service, and for the answer to `send` and `ping`.
        public var requestTimeout = Duration.seconds(10)
        /// PEM file with the authorities to trust; nil takes the system's.
        public var trustRootsFile: String?
        /// Where the cursor of stored messages is kept while the application does not run; nil keeps it in memory.
        public var cursorStore: (any CursorStore)?
        /// False for a device that takes no stored messages: the server keeps nothing for it.
        public var takesStoredMessages = true

        public init(login: Login) { self.login = login }
    }
}
