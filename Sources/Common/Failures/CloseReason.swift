/// Why a connection ended: number, name, meaning, and whether the client should come back. One table for the close
/// frame, the metrics, the logs and docs/close-reasons.md; every way a session can end is a row.
///
/// Numbers from 4000 are ours (RFC 6455, section 7.4.2); those around 1000 are the RFC's own (section 7.4.1), used
/// where it demands them.
package struct CloseReason: Hashable, Sendable, CustomStringConvertible {
    /// What a well-behaved client does next.
    package enum Return: Hashable, Sendable {
        /// Not by itself: a person or the application decides.
        case never
        /// With the token it has, no sooner than after this time, with jitter on top.
        case after(Duration)
        /// After fetching a new token.
        case withNewToken
    }

    package let number: UInt16
    package let name: String
    package let meaning: String
    package let comeBack: Return

    private init(_ number: UInt16, _ name: String, _ comeBack: Return, _ meaning: String) {
        self.number = number
        self.name = name
        self.comeBack = comeBack
        self.meaning = meaning
    }

    package var description: String { name }

    package static let nodeStopping = CloseReason(
        4000, "node_stopping", .after(.seconds(1)), "The node is shutting down; take one of the alternatives.")
    package static let replaced = CloseReason(
        4001, "replaced", .never,
        "The same client and device connected elsewhere, or a newer device took the last place.")
    package static let conflict = CloseReason(
        4002, "conflict", .after(.seconds(60)), "Two connections of one device displace each other too often.")
    package static let kicked = CloseReason(
        4003, "kicked", .never, "An operator or back end closed the session.")
    package static let authenticationTimeout = CloseReason(
        4004, "auth_timeout", .after(.seconds(1)), "No valid hello within the time allowed from accept.")
    package static let tokenInvalid = CloseReason(
        4005, "token_invalid", .withNewToken, "The token is broken, foreign, or for another client.")
    package static let tokenExpired = CloseReason(
        4006, "token_expired", .withNewToken, "The token ended and no new one was presented.")
    package static let tokenRevoked = CloseReason(
        4007, "token_revoked", .withNewToken, "The client's tokens were revoked.")
    package static let protocolViolation = CloseReason(
        4008, "protocol_violation", .after(.seconds(60)), "A frame was valid on the wire but not allowed at this point."
    )
    package static let slowConsumer = CloseReason(
        4009, "slow_consumer", .after(.seconds(1)), "The connection's outbox overflowed or made no progress.")
    package static let heartbeatTimeout = CloseReason(
        4010, "heartbeat_timeout", .after(.zero), "Nothing was heard within a heartbeat and its grace.")
    package static let overloaded = CloseReason(
        4011, "overloaded", .after(.seconds(5)), "The node takes no more connections now.")
    package static let rateLimited = CloseReason(
        4012, "rate_limited", .after(.seconds(30)), "The connection sent more than it may.")
    package static let internalError = CloseReason(
        4013, "internal_error", .after(.seconds(5)), "Something unexpected failed on the node.")
    package static let superseded = CloseReason(
        4014, "superseded", .never, "The route store holds a newer session of this client and device.")
    package static let anonymousRefused = CloseReason(
        4015, "anonymous_refused", .never, "The protocol has no token, and this node takes nobody without one.")

    /// RFC 6455: normal closure, asked for by the client.
    package static let clientLeft = CloseReason(1000, "client_left", .never, "The client closed the connection.")
    package static let badProtocol = CloseReason(
        1002, "bad_protocol", .after(.seconds(60)), "The bytes do not follow the wire protocol.")
    package static let unsupportedData = CloseReason(
        1003, "unsupported_data", .after(.seconds(60)), "A kind of frame that this protocol does not take.")
    package static let invalidText = CloseReason(
        1007, "invalid_text", .after(.seconds(60)), "A text is not valid UTF-8.")
    package static let tooLarge = CloseReason(
        1009, "too_large", .after(.seconds(60)), "A message is larger than allowed.")
    /// Never sent (RFC 6455, section 7.1.5): the connection ended without a close frame.
    package static let connectionLost = CloseReason(
        1006, "connection_lost", .after(.zero), "The connection ended without a word.")

    package static let all: [CloseReason] = [
        .clientLeft, .badProtocol, .unsupportedData, .connectionLost, .invalidText, .tooLarge,
        .nodeStopping, .replaced, .conflict, .kicked, .authenticationTimeout, .tokenInvalid, .tokenExpired,
        .tokenRevoked, .protocolViolation, .slowConsumer, .heartbeatTimeout, .overloaded, .rateLimited,
        .internalError, .superseded, .anonymousRefused,
    ]

    /// The row with this number, if there is one.
    package init?(number: UInt16) {
        guard let row = Self.all.first(where: { $0.number == number }) else { return nil }
        self = row
    }
}
