/// `push.…`: where devices come in.
package struct PushKeys: ConfigurationKeySection {
    package enum Overflow: String, Sendable, CaseIterable {
        case dropOldest = "drop-oldest"
        case collapse
        case disconnect
    }

    package let listen = ConfigurationKey(
        "push.listen", .address, default: "0.0.0.0:8300", usedBy: [.pushServer],
        "Where devices connect, in every protocol.")
    package let grpcListen = ConfigurationKey(
        "push.grpc-listen", .address, default: "0.0.0.0:8301", usedBy: [.pushServer],
        "Where the route servers hand over deliveries.")
    package let metricsListen = ConfigurationKey(
        "push.metrics-listen", .address, default: "0.0.0.0:8302", usedBy: [.pushServer], "Metrics and health.")
    package let advertiseWS = ConfigurationKey(
        "push.advertise-ws", optional: .url(["ws", "wss"]), usedBy: [.pushServer],
        "The URL devices are told to dial; derived from `push.listen` when left out.")
    package let advertiseGRPC = ConfigurationKey(
        "push.advertise-grpc", optional: .address, usedBy: [.pushServer],
        "Where route servers reach this node; derived from `push.grpc-listen` when left out.")
    package let jwksURL = ConfigurationKey(
        "push.jwks-url", .url(["http", "https"]), default: "http://127.0.0.1:8100/.well-known/jwks.json",
        usedBy: [.pushServer], "Public keys of the tokens.")
    package let overflow = ConfigurationKey(
        "push.overflow", ValueForm<Overflow>.choice, default: "drop-oldest", usedBy: [.pushServer],
        "What gives way when a device reads too slowly and its outbox is full.")
    package let origins = ConfigurationKey(
        "push.origins", .list(of: .text), default: "", usedBy: [.pushServer],
        "Web origins that may connect; empty lets all.")
    package let trustedProxies = ConfigurationKey(
        "push.trusted-proxies", .list(of: .addressBlock), default: "", usedBy: [.pushServer],
        "Balancers in front of `push.listen`: their connections begin with a PROXY header (v1 or v2), whose address is "
            + "the device's.")
    package let threads = ConfigurationKey(
        "push.threads", .integer(0...256), default: "0", usedBy: [.pushServer],
        "Event loops; 0 takes one per core.")
    package let tlsCertificate = ConfigurationKey(
        "push.tls-certificate", optional: .path, usedBy: [.pushServer],
        "PEM file of the certificate chain; turns TLS on, together with `push.tls-key`.")
    package let tlsKey = ConfigurationKey(
        "push.tls-key", optional: .path, usedBy: [.pushServer], "PEM file of the private key.")
    package let janusAnonymous = ConfigurationKey(
        "push.janus-anonymous", .boolean, default: "false", usedBy: [.pushServer],
        "Speaks Janus, the protocol of hotwheels. It has no token: whoever reaches the port may do what the next two "
            + "keys say.")
    package let janusSubscribe = ConfigurationKey(
        "push.janus-subscribe", .list(of: .topicPattern), default: "", usedBy: [.pushServer],
        "Topics that Janus clients may subscribe to.")
    package let janusPublish = ConfigurationKey(
        "push.janus-publish", .list(of: .topicPattern), default: "", usedBy: [.pushServer],
        "Topics that Janus clients may publish to.")
    package let janusListen = ConfigurationKey(
        "push.janus-listen", optional: .address, usedBy: [.pushServer],
        "A port for Janus alone, as `0.0.0.0:8081`: there the greeting leaves at accept, and there is no TLS.")
    package let advertiseJanus = ConfigurationKey(
        "push.advertise-janus", optional: .address, usedBy: [.pushServer],
        "Where Janus clients reach this node; derived from `push.janus-listen` when left out.")
}

extension ValueForm where Value == TopicPattern {
    static let topicPattern = ValueForm(
        type: "topic pattern", allowed: "a topic or a pattern such as `room/+` or `room/#`"
    ) { try? TopicPattern($0) }
}
