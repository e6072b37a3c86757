// `limits.…`: every field of `Limits`, under its own name in kebab case. The defaults are those of `Limits` itself; a
// test holds the two against each other, so a field without a key does not pass.

private typealias LimitField<Value> = any WritableKeyPath<Limits, Value> & Sendable

/// One field of `Limits` and its key.
struct LimitKey: Sendable {
    let definition: KeyDefinition
    /// Sets the field from a text that the definition accepts.
    let set: @Sendable (inout Limits, String) -> Void

    private init<Value>(
        _ name: String, _ field: LimitField<Value>, _ form: ValueForm<Value>,
        default text: String, _ doc: String
    ) {
        let key = ConfigurationKey("limits." + name, form, default: text, usedBy: LimitKey.roles, doc)
        definition = key.definition
        set = { limits, text in
            if let value = key.read(text) { limits[keyPath: field] = value }
        }
    }

    private static let roles: Set<ConfigurationRole> = [.auth, .pushServer, .pushRoute]

    private static func count(
        _ name: String, _ field: LimitField<Int>, _ range: ClosedRange<Int>, _ doc: String
    ) -> LimitKey {
        LimitKey(name, field, .integer(range), default: String(Limits.default[keyPath: field]), doc)
    }

    private static func bytes(
        _ name: String, _ field: LimitField<Int>, _ range: ClosedRange<Int>, _ doc: String
    ) -> LimitKey {
        LimitKey(name, field, .bytes(range), default: ByteText.text(of: Limits.default[keyPath: field]), doc)
    }

    private static func duration(
        _ name: String, _ field: LimitField<Duration>, _ range: ClosedRange<Duration>,
        _ doc: String
    ) -> LimitKey {
        LimitKey(name, field, .duration(range), default: DurationText.text(of: Limits.default[keyPath: field]), doc)
    }

    private static func number(
        _ name: String, _ field: LimitField<Double>, _ range: ClosedRange<Double>, _ doc: String
    ) -> LimitKey {
        LimitKey(name, field, .number(range), default: String(Limits.default[keyPath: field]), doc)
    }

    static let all: [LimitKey] = [
        bytes(
            "inbound-message-bytes-max", \.inboundMessageBytesMax, 1 << 10...16 << 20,
            "Largest message of a device, after reassembly."),
        bytes(
            "request-head-bytes-max", \.requestHeadBytesMax, 1 << 10...1 << 20,
            "Largest head of an HTTP request on the device listener."),
        duration(
            "authentication-deadline", \.authenticationDeadline, .milliseconds(100) ... .seconds(300),
            "From accept to a valid hello."),
        count(
            "messages-per-second-max", \.messagesPerSecondMax, 1...1_000_000,
            "Messages a connection may send per second, sustained."),
        count(
            "messages-burst-max", \.messagesBurstMax, 1...1_000_000,
            "Messages a connection may send before the rate counts."),
        count("fragments-per-message-max", \.fragmentsPerMessageMax, 1...65_536, "Frames of one message."),
        bytes("payload-bytes-max", \.payloadBytesMax, 1...16 << 20, "Largest payload of one push."),
        count(
            "outbox-messages-max", \.outboxMessagesMax, 1...1_000_000,
            "Messages waiting in one session's outbox, beyond what the kernel took."),
        bytes("outbox-bytes-max", \.outboxBytesMax, 1 << 10...1 << 30, "Bytes waiting in one session's outbox."),
        duration(
            "write-stall-max", \.writeStallMax, .milliseconds(100) ... .seconds(3_600),
            "Longest time without write progress while something waits."),
        duration("heartbeat", \.heartbeat, .milliseconds(100) ... .seconds(3_600), "Middle of the heartbeat interval."),
        number(
            "heartbeat-jitter", \.heartbeatJitter, 0...0.9, "Each interval is drawn from heartbeat × (1 ± this)."),
        duration(
            "heartbeat-grace", \.heartbeatGrace, .milliseconds(100) ... .seconds(600),
            "How long after an unanswered ping the connection is given up."),
        count("devices-per-client-max", \.devicesPerClientMax, 1...1_000, "Devices of one client connected at once."),
        count(
            "connects-per-address-per-second-max", \.connectsPerAddressPerSecondMax, 1...1_000_000,
            "Connects per second from one address, sustained. Loopback is exempt."),
        count(
            "connects-per-address-burst-max", \.connectsPerAddressBurstMax, 1...1_000_000,
            "Connects from one address before the rate counts."),
        count("accepts-per-second-max", \.acceptsPerSecondMax, 1...1_000_000, "Accepts per second and node."),
        count("accepts-burst-max", \.acceptsBurstMax, 1...1_000_000, "Accepts before the rate counts."),
        count(
            "connections-max", \.connectionsMax, 0...10_000_000,
            "Connections of one node; 0 takes 90 % of the process's descriptor limit."),
        count(
            "displacements-max", \.displacementsMax, 1...1_000,
            "How often two connections may displace each other within the window."),
        duration(
            "displacement-window", \.displacementWindow, .seconds(1) ... .seconds(3_600),
            "The window of `limits.displacements-max`."),
        count("targets-per-push-max", \.targetsPerPushMax, 1...10_000_000, "Ids of one push."),
        count(
            "results-per-answer-max", \.resultsPerAnswerMax, 0...100_000,
            "Above this many ids a push answers counts, and rows only for what was not delivered."),
        count(
            "targets-per-chunk-max", \.targetsPerChunkMax, 1...10_000,
            "Ids of one chunk of a job; a push of more ids becomes a job."),
        bytes("push-body-bytes-max", \.pushBodyBytesMax, 1 << 10...1 << 30, "Largest body of a push, as received."),
        bytes(
            "push-unpacked-bytes-max", \.pushUnpackedBytesMax, 1 << 10...4 << 30,
            "Largest body of a push in gzip, unpacked."),
        count(
            "push-unpacked-ratio-max", \.pushUnpackedRatioMax, 1...1_100,
            "Bytes that one byte of a gzip body may become, on average."),
        duration(
            "dedupe-memory", \.dedupeMemory, .seconds(1) ... .seconds(24 * 3_600),
            "How long a `dedupe_key` is remembered."),
        bytes(
            "request-body-bytes-max", \.requestBodyBytesMax, 1 << 10...64 << 20,
            "Largest body of any other HTTP call."),
        count(
            "sessions-per-deliver-max", \.sessionsPerDeliverMax, 1...200_000,
            "Sessions in one call to a node, 16 bytes each, below gRPC's 4 MiB."),
        count(
            "inbox-messages-max", \.inboxMessagesMax, 1...100_000,
            "Stored messages of one client; the oldest give way."),
        bytes(
            "inbox-bytes-max", \.inboxBytesMax, 1 << 10...1 << 30,
            "Bytes of stored messages of one client; the oldest give way."),
        duration(
            "inbox-age", \.inboxAge, .seconds(1) ... .seconds(365 * 24 * 3_600), "Longest a stored message waits."),
        duration(
            "inbox-acknowledged-kept", \.inboxAcknowledgedKept, .seconds(1) ... .seconds(24 * 3_600),
            "How long a message stays that every device has acknowledged."),
        count(
            "in-flight-max", \.inFlightMax, 1...10_000,
            "Stored messages on their way to one device at once, unacknowledged."),
        duration(
            "acknowledgement-timeout", \.acknowledgementTimeout, .seconds(1) ... .seconds(3_600),
            "How long a device may take to acknowledge before it is sent everything unacknowledged again."),
        duration(
            "inbox-sweep", \.inboxSweep, .seconds(1) ... .seconds(3_600),
            "How often a node looks for stored messages that were lost on their way to it."),
        count(
            "inbox-devices-max", \.inboxDevicesMax, 1...1_000,
            "Devices of one client whose place in the inbox is remembered."),
        count("inbox-page-messages-max", \.inboxPageMessagesMax, 1...1_000, "Stored messages handed out at once."),
        bytes(
            "inbox-page-bytes-max", \.inboxPageBytesMax, 1 << 10...16 << 20,
            "Bytes of stored messages handed out at once, unless one is larger."),
        count("topics-per-session-max", \.topicsPerSessionMax, 1...4_096, "Subscriptions of one session."),
        count(
            "wildcards-per-node-max", \.wildcardsPerNodeMax, 0...65_536,
            "Different topic patterns with wildcards on one node."),
        count("topics-per-publish-max", \.topicsPerPublishMax, 1...10_000, "Topics of one publish."),
        count("messages-per-publish-max", \.messagesPerPublishMax, 1...10_000, "Messages of one publish."),
        count(
            "publishes-per-topic-max", \.publishesPerTopicMax, 1...1_000_000,
            "Messages for one topic that one publisher has on their way."),
        bytes(
            "publish-bytes-max", \.publishBytesMax, 1 << 10...16 << 30,
            "All messages that one publisher has on their way, with 256 bytes for each besides its data."),
        count(
            "webhook-queue-max", \.webhookQueueMax, 1...1_000_000,
            "Events waiting for one webhook; the oldest give way."),
        count("webhook-batch-max", \.webhookBatchMax, 1...1_000, "Events of one call to a webhook."),
        duration(
            "webhook-batch-delay", \.webhookBatchDelay, .milliseconds(1) ... .seconds(60),
            "How long an event waits for others to be told together."),
        bytes(
            "webhook-data-bytes-max", \.webhookDataBytesMax, 1...256 << 10,
            "Data of a push that a webhook is told; of longer data only the length is."),
        count("webhook-tries-max", \.webhookTriesMax, 1...100, "How often one batch of events is tried."),
        duration(
            "webhook-timeout", \.webhookTimeout, .milliseconds(100) ... .seconds(300),
            "From a call of a webhook to the end of its answer."),
        bytes(
            "webhook-answer-bytes-max", \.webhookAnswerBytesMax, 1...16 << 20,
            "How much of a webhook's answer is read; it is ignored."),
    ]
}
