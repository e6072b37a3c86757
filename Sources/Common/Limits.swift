/// Every bound of the system: its unit is in the type or the name, its reason beside it. All can be configured
/// (`limits.…`); crossing one is answered at the edge with a named error. docs/limits.md shows the same table.
package struct Limits: Sendable, Equatable {
    // Inbound from devices.

    /// Largest inbound message of a device, after reassembly. Devices send commands and small readings.
    package var inboundMessageBytesMax = 64 << 10
    /// Largest head of an HTTP request on the device listener. Tokens are about 1 KiB, cookies may be around.
    package var requestHeadBytesMax = 16 << 10
    /// From accept, not from the last byte, so that dripping bytes does not hold a place.
    package var authenticationDeadline: Duration = .seconds(5)
    /// Messages a connection may send per second, sustained.
    package var messagesPerSecondMax = 50
    /// Messages a connection may send at once before the rate counts.
    package var messagesBurstMax = 200
    /// Frames one message may be cut into: a million tiny fragments cost more than they carry.
    package var fragmentsPerMessageMax = 1024

    // Outbound to devices.

    /// Largest payload of one push: what a phone takes in one frame without stalling others.
    package var payloadBytesMax = 256 << 10
    /// Messages waiting in one session's outbox, beyond what the kernel took.
    package var outboxMessagesMax = 1_000
    /// Bytes waiting in one session's outbox.
    package var outboxBytesMax = 1 << 20
    /// Longest time without write progress while something waits.
    package var writeStallMax: Duration = .seconds(10)

    // Liveness.

    /// Middle of the heartbeat interval. NATs of mobile networks forget an idle flow after 30 s and more.
    package var heartbeat: Duration = .seconds(25)
    /// Each interval is drawn from heartbeat × (1 ± this), so that a mass reconnect does not beat in step.
    package var heartbeatJitter = 0.2
    /// How long after an unanswered ping the connection is given up.
    package var heartbeatGrace: Duration = .seconds(10)

    // Admission.

    /// Devices of one client connected at once; the oldest gives way.
    package var devicesPerClientMax = 8
    /// Connects per second from one address, sustained. Loopback is exempt.
    package var connectsPerAddressPerSecondMax = 20
    /// Connects from one address before the rate counts.
    package var connectsPerAddressBurstMax = 100
    /// Accepts per second and node: each costs a signature check and a claim.
    package var acceptsPerSecondMax = 500
    /// Accepts before the rate counts: the listen backlog of an ordinary burst.
    package var acceptsBurstMax = 2_000
    /// Connections of one node; 0 takes 90 % of the process's descriptor limit.
    package var connectionsMax = 0
    /// How often a pair of connections may displace each other within `displacementWindow` before `conflict`.
    package var displacementsMax = 5
    package var displacementWindow: Duration = .seconds(60)

    // Pushes.

    /// Ids of one push.
    package var targetsPerPushMax = 1_000_000
    /// Above this many ids the answer gives counts and the names of what was not delivered, not a row per target.
    package var resultsPerAnswerMax = 1_000
    /// Ids of one chunk of a job; a push of more becomes a job. What a person still reads row by row, and a runner's
    /// work of milliseconds.
    package var targetsPerChunkMax = 1_000
    /// Largest body of `POST /v1/push`, as it is received: a million ids of 128 bytes would be 128 MiB; ordinary ids
    /// are far shorter.
    package var pushBodyBytesMax = 64 << 20
    /// Largest body of a push in gzip, unpacked.
    package var pushUnpackedBytesMax = 256 << 20
    /// How many bytes one received byte may become, once a mebibyte was unpacked. Lists of ids shrink to a tenth; what
    /// shrinks to a thousandth was made to hurt.
    package var pushUnpackedRatioMax = 100
    /// How long a `dedupe_key` is remembered: longer than anybody retries.
    package var dedupeMemory: Duration = .seconds(600)
    /// Largest body of any other HTTP call.
    package var requestBodyBytesMax = 64 << 10
    /// Sessions in one Deliver call, 16 bytes each, below gRPC's 4 MiB message limit with the payload.
    package var sessionsPerDeliverMax = 50_000

    // Inboxes.

    /// Stored messages of one client; the oldest give way.
    package var inboxMessagesMax = 1_000
    /// Bytes of data in one client's inbox; the oldest give way, but the newest message always stays.
    package var inboxBytesMax = 4 << 20
    /// Longest a stored message waits, and what `ttl_s` is without a word: a week's holiday without a network.
    package var inboxAge: Duration = .seconds(7 * 24 * 3_600)
    /// How long a message stays that every device has acknowledged, so that a repeated chunk of its push finds it.
    package var inboxAcknowledgedKept: Duration = .seconds(600)
    /// Stored messages on their way to one device at once, unacknowledged: enough to fill a mobile link, few enough to
    /// be sent again.
    package var inFlightMax = 64
    /// How long a device may take to acknowledge before everything unacknowledged is sent again; doubles up to ten
    /// minutes while nothing is acknowledged.
    package var acknowledgementTimeout: Duration = .seconds(30)
    /// How often a node asks whether a stored message was lost on its way to one of its sessions.
    package var inboxSweep: Duration = .seconds(30)
    /// Devices of one client whose place in the inbox is remembered, connected or not.
    package var inboxDevicesMax = 32
    /// Messages handed out at once.
    package var inboxPageMessagesMax = 100
    /// Bytes of data handed out at once, unless a single message is larger.
    package var inboxPageBytesMax = 256 << 10

    // Topics.

    /// Subscriptions of one session: each is a place in a list that every one more looks through.
    package var topicsPerSessionMax = 128
    /// Different topic patterns with wildcards on one node: every publisher keeps a copy of them.
    package var wildcardsPerNodeMax = 1_000
    /// Topics of one publish: each is a look-up of its own.
    package var topicsPerPublishMax = 100
    /// Messages of one publish: about what one call to a node takes.
    package var messagesPerPublishMax = 500
    /// Messages for one topic that a publisher has on their way: some seconds of the busiest rooms.
    package var publishesPerTopicMax = 10_000
    /// All messages that a publisher has on their way, with 256 bytes for each besides its data.
    package var publishBytesMax = 64 << 20

    // Webhooks.

    /// Events waiting for one webhook; the oldest give way. With 4 KiB of data each at most 40 MiB.
    package var webhookQueueMax = 10_000
    /// Events of one call.
    package var webhookBatchMax = 100
    /// How long an event waits for company.
    package var webhookBatchDelay: Duration = .seconds(1)
    /// Data of a push that is told along; of longer data only the length is.
    package var webhookDataBytesMax = 4 << 10
    /// How often one batch is tried. Its pauses are a minute together at most, half of that on average.
    package var webhookTriesMax = 8
    /// From the call to the answer's end.
    package var webhookTimeout: Duration = .seconds(10)
    /// How much of an answer's body is read, to keep the connection; it is ignored.
    package var webhookAnswerBytesMax = 64 << 10

    package init() {}

    package static let `default` = Limits()
}
