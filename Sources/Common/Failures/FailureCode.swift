/// The stable name of a failure. HTTP answers, protocol errors and log lines use the same names; docs/errors.md lists
/// every row, and a test holds the two against each other.
package struct FailureCode: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    /// The status an HTTP answer carries.
    package let status: Int
    /// One sentence for `title` of RFC 9457, the same for every occurrence.
    package let title: String

    private init(_ name: String, _ status: Int, _ title: String) {
        self.name = name
        self.status = status
        self.title = title
    }

    package var description: String { name }

    // What the caller sent.
    package static let invalidJSON = FailureCode("invalid_json", 400, "The body is not valid JSON.")
    package static let invalidRequest = FailureCode("invalid_request", 400, "A field is missing or has a wrong form.")
    package static let invalidID = FailureCode("invalid_id", 400, "An identifier breaks its rules.")
    package static let invalidTopic = FailureCode("invalid_topic", 400, "A topic or topic pattern breaks its rules.")
    package static let tooManyTargets = FailureCode("too_many_targets", 413, "The list has more ids than one push may.")
    package static let payloadTooLarge = FailureCode("payload_too_large", 413, "The payload is larger than allowed.")
    package static let bodyTooLarge = FailureCode("body_too_large", 413, "The request body is larger than allowed.")
    package static let notFound = FailureCode("not_found", 404, "There is nothing at this address.")
    package static let methodNotAllowed = FailureCode(
        "method_not_allowed", 405, "This address does not take that method.")
    package static let conflict = FailureCode("conflict", 409, "The state of what is addressed does not allow this.")
    package static let notSupported = FailureCode("not_supported", 501, "This is not offered here.")

    // Who the caller is.
    package static let unauthorized = FailureCode("unauthorized", 401, "The key or secret is missing or not valid.")
    package static let forbidden = FailureCode("forbidden", 403, "The key or token does not allow this.")
    package static let tokenInvalid = FailureCode("token_invalid", 401, "The token is not valid.")
    package static let tokenExpired = FailureCode("token_expired", 401, "The token has expired.")
    package static let tokenRevoked = FailureCode("token_revoked", 401, "The token was revoked.")
    package static let rateLimited = FailureCode("rate_limited", 429, "Too many requests; come back later.")

    // What a device sent over its connection.
    package static let badFrame = FailureCode("bad_frame", 400, "The bytes do not follow the protocol.")
    package static let unknownOperation = FailureCode("unknown_op", 400, "The operation is not known.")
    package static let notAuthenticated = FailureCode("not_authenticated", 401, "Say hello with a token first.")
    package static let helloTwice = FailureCode("hello_twice", 400, "Hello may be said once.")
    package static let frameTooLarge = FailureCode("frame_too_large", 413, "The frame is larger than allowed.")
    package static let tooManyTopics = FailureCode(
        "too_many_topics", 429, "The session has as many subscriptions as it may.")

    // What is wrong on our side.
    package static let routesUnavailable = FailureCode("routes_unavailable", 503, "The route store does not answer.")
    package static let registryUnavailable = FailureCode("registry_unavailable", 503, "The registry does not answer.")
    package static let jobsUnavailable = FailureCode("jobs_unavailable", 503, "The job store does not answer.")
    package static let backendUnavailable = FailureCode(
        "backend_unavailable", 503, "A service asked for help does not answer.")
    package static let nodeUnavailable = FailureCode("node_unavailable", 503, "The push server does not answer.")
    package static let noNode = FailureCode("no_node", 503, "No push server can take this client now.")
    package static let notReady = FailureCode("not_ready", 503, "The service is starting or stopping.")
    package static let overloaded = FailureCode("overloaded", 503, "There is too much to do here now.")
    package static let tooManyPatterns = FailureCode(
        "too_many_patterns", 503, "The node has as many subscriptions with wildcards as it may.")
    package static let nodeIDTaken = FailureCode("node_id_taken", 409, "Another process holds this node id.")
    package static let configurationInvalid = FailureCode(
        "configuration_invalid", 500, "A configuration value is not valid.")
    package static let jobsSchemaUnknown = FailureCode(
        "jobs_schema_unknown", 500, "The job database was written by a newer version.")
    package static let addressInUse = FailureCode("address_in_use", 500, "Another process listens on this address.")
    package static let internalError = FailureCode("internal_error", 500, "Something unexpected failed here.")

    /// Every code, in the order of the documentation.
    package static let all: [FailureCode] = [
        .invalidJSON, .invalidRequest, .invalidID, .invalidTopic, .tooManyTargets, .payloadTooLarge, .bodyTooLarge,
        .notFound, .methodNotAllowed, .conflict, .notSupported,
        .unauthorized, .forbidden, .tokenInvalid, .tokenExpired, .tokenRevoked, .rateLimited,
        .badFrame, .unknownOperation, .notAuthenticated, .helloTwice, .frameTooLarge, .tooManyTopics,
        .routesUnavailable, .registryUnavailable, .jobsUnavailable, .backendUnavailable, .nodeUnavailable, .noNode,
        .notReady, .overloaded, .tooManyPatterns,
        .nodeIDTaken, .configurationInvalid, .jobsSchemaUnknown, .addressInUse, .internalError,
    ]
}
