import Common
import Crypto

// Stored messages. Every call on clients is one script, so it sees routes and inboxes at one moment; what the scripts
// do stands in `Scripts/`, and what each method promises at `InboxStore`.

extension RedisRouteStore: InboxStore {
    /// Clients in one script call: some 5 ms of Redis's time, in which nothing else runs.
    static let clientsPerCallMax = 100
    /// Clients stored for, or acknowledged for, before replies are waited for. Four turns may be on their way at once
    /// and must be through within the command timeout, at some 60 µs of Redis's time a client.
    private static let clientsPerTurnMax = 1_000
    /// Bytes of payload on the way to Redis before replies are waited for.
    private static let bytesPerTurnMax = 8 << 20

    // MARK: Storing

    package func store(
        _ message: StoredMessage, for clients: [ClientID], isRepeat: Bool
    ) async -> [StoreResult] {
        // In the worst case each client has a bucket of its own, and each command carries the payload.
        let perTurn = min(Self.clientsPerTurnMax, max(1, Self.bytesPerTurnMax / (message.data.count + 1)))
        let results = await inBuckets(
            clients, perCommand: Self.clientsPerCallMax, perTurn: perTurn, mayMix: true,
            command: { _, places in
                let clients = places.map { clients[$0] }
                var command = self.storeCommand(message, clients, isRepeat: isRepeat)
                // The connection died: the first call may have stored it.
                command.again = { self.storeCommand(message, clients, isRepeat: true) }
                return command
            },
            read: { $0.array?.map { self.storeResult($0) } })
        return results.map { result in
            switch result {
            case .success(let result): result
            case .failure(let error): .failed(error)
            }
        }
    }

    private func storeCommand(
        _ message: StoredMessage, _ clients: [ClientID], isRepeat: Bool
    ) -> RedisCommand {
        let keys = clients.flatMap { [Keys.routes(Bucket(of: $0))] + Keys.box($0) }
        return RedisCommand(.store, keys: keys) { arguments in
            arguments.append(isRepeat ? "1" : "0")
            arguments.append(message.push.description)
            arguments.append(message.data)
            arguments.append(String(message.timestampMilliseconds))
            arguments.append(String(message.end(within: limits)))
            arguments.append(message.collapseKey ?? "")
            arguments.append(message.from?.text ?? "")
            arguments.append(message.job?.description ?? "")
            arguments.append(message.traceID)
            arguments.append(String(limits.inboxMessagesMax))
            arguments.append(String(limits.inboxBytesMax))
            arguments.append(String(limits.inboxAcknowledgedKept.wholeMilliseconds))
            arguments.append(String(limits.inboxDevicesMax))
            arguments.append(cursorsKept)
            for client in clients { arguments.append(client.text) }
        }
    }

    private func storeResult(_ value: RESPValue) -> StoreResult {
        let fields = value.array ?? []
        switch fields.first?.text {
        case "stored":
            guard fields.count == 5, let id = fields[1].text.flatMap({ StreamPosition($0) }),
                let previous = fields[2].text, let isRepeat = fields[3].integer
            else { return .failed(unexpected(value)) }
            return .stored(
                id: id, previous: StreamPosition(previous), isRepeat: isRepeat == 1, sessions: routes(fields[4...]))
        case "replaced": return .replaced
        case "expired": return .expired
        default: return .failed(failure(fields, value))
        }
    }

    /// `{"failed", why}`: Redis refused something within the script, for one client of the call.
    private func failure(_ fields: [RESPValue], _ value: RESPValue) -> WindfireError {
        guard fields.count == 2, fields[0].text == "failed", let why = fields[1].text else {
            return unexpected(value)
        }
        return refused(RedisReplyError(why))
    }

    // MARK: Acknowledging

    package func acknowledge(_ acknowledgements: [Acknowledgement]) async -> [AcknowledgeResult] {
        let results = await inBuckets(
            acknowledgements.map(\.client), perCommand: Self.clientsPerCallMax, perTurn: Self.clientsPerTurnMax,
            mayMix: true,
            command: { _, places in
                let batch = places.map { acknowledgements[$0] }
                let keys = batch.flatMap { Keys.box($0.client).prefix(2) }
                return RedisCommand(.acknowledge, keys: keys) { arguments in
                    arguments.append(String(self.limits.inboxDevicesMax))
                    arguments.append(self.cursorsKept)
                    arguments.append(String(self.limits.inboxAcknowledgedKept.wholeMilliseconds))
                    for acknowledgement in batch {
                        arguments.append(acknowledgement.device.text)
                        arguments.append(acknowledgement.upTo.description)
                    }
                }
            },
            read: { $0.array?.map { self.acknowledgeResult($0) } })
        return results.map { result in
            switch result {
            case .success(let result): result
            case .failure(let error): .failed(error)
            }
        }
    }

    private func acknowledgeResult(_ value: RESPValue) -> AcknowledgeResult {
        let fields = value.array ?? []
        guard fields.count >= 2, fields.count.isMultiple(of: 2), fields[0].text == "ok",
            let upTo = fields[1].text.flatMap({ StreamPosition($0) })
        else { return .failed(failure(fields, value)) }
        var first: [JobID: Int] = [:]
        for index in stride(from: 2, to: fields.count, by: 2) {
            guard let job = fields[index].text.flatMap({ try? JobID($0) }), let count = fields[index + 1].integer
            else {
                noteCorrupt(1)
                continue
            }
            first[job, default: 0] += Int(clamping: count)
        }
        return .acknowledged(upTo: upTo, first: first)
    }

    // MARK: Reading

    package func readInbox(
        of client: ClientID, for device: DeviceID, after: StreamPosition?
    ) async throws(WindfireError) -> InboxPage {
        try inboxPage(
            try await run(
                .read, keys: Keys.box(client), device.text, after?.description ?? "",
                String(limits.inboxPageMessagesMax), String(limits.inboxPageBytesMax), cursorsKept))
    }

    func inboxPage(_ reply: RESPValue) throws(WindfireError) -> InboxPage {
        var parser = InboxParser()
        let page = parser.page(reply)
        noteCorrupt(parser.corruptCount)
        guard let page else { throw unexpected(reply) }
        return page
    }

    package func inboxHeads(_ clients: [ClientID]) async throws(WindfireError) -> [StreamPosition?] {
        let results = await inBuckets(
            clients, perCommand: LocatePlan.fieldsPerCommandMax, perTurn: LocatePlan.fieldsPerTurnMax,
            command: { bucket, places in
                RedisCommand(.heads, keys: places.map { Keys.cursor(bucket, clients[$0]) }, [])
            },
            read: { $0.array?.map { $0.text.flatMap { StreamPosition($0) } } })
        var heads: [StreamPosition?] = []
        heads.reserveCapacity(clients.count)
        for result in results { heads.append(try result.get()) }
        return heads.map { $0 == .start ? nil : $0 }
    }

    package func inboxSummary(of client: ClientID) async throws(WindfireError) -> InboxSummary {
        let reply = try await run(.summary, keys: Array(Keys.box(client).prefix(2)))
        guard let fields = reply.array, fields.count == 6, let count = fields[0].integer else {
            throw unexpected(reply)
        }
        let texts = fields.map { $0.text ?? "" }
        let last = StreamPosition(texts[2])
        var parser = InboxParser()
        let devices = parser.devices(texts[5])
        noteCorrupt(parser.corruptCount)
        return InboxSummary(
            count: Int(clamping: count), bytes: count == 0 ? 0 : Int(texts[4]) ?? 0, oldest: StreamPosition(texts[1]),
            last: last == .start ? nil : last, acknowledged: StreamPosition(texts[3]) ?? .start, devices: devices)
    }

    @discardableResult
    package func purgeInbox(of client: ClientID) async throws(WindfireError) -> Int {
        Int(clamping: try integer(try await run(.purge, keys: Keys.box(client), cursorsKept)))
    }

    /// How long a client's cursors outlive their last change, ms: no message is older than half of it.
    var cursorsKept: String { String(2 * limits.inboxAge.wholeMilliseconds) }
}

// Pushes themselves: keys of their own, each in a slot of its own.

extension RedisRouteStore {
    package func rememberPush(
        key: String, as id: String, for duration: Duration
    ) async throws(WindfireError) -> String? {
        let reply = try await run(
            .remember, keys: [Self.dedupeKey(key)], id, String(max(1, duration.wholeMilliseconds)))
        if reply == .null { return nil }
        guard let earlier = reply.text else { throw unexpected(reply) }
        return earlier
    }

    package func forgetPush(key: String) async throws(WindfireError) {
        let key = Self.dedupeKey(key)
        _ = try await ask(RedisCommand("DEL", key, slot: Slot(ofKey: key)))
    }

    private static func dedupeKey(_ key: String) -> String {
        let digest = SHA256.hash(data: Array(key.utf8))
        return Keys.dedupe(digest.prefix(16).map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined())
    }

    package func countAcknowledged(_ counts: [JobID: Int]) async throws(WindfireError) {
        let report = UInt64.random(in: .min ... .max).hex16
        let kept = String(limits.jobCountersKept.wholeMilliseconds)
        let replies = try await client.execute(
            counts.map { job, count in
                RedisCommand(.count, keys: [Keys.job(job), Keys.report(report, of: job)], [String(count), kept])
            })
        for reply in replies { _ = try integer(reply) }
    }

    package func acknowledgedCounts(_ jobs: [JobID]) async throws(WindfireError) -> [Int] {
        let replies = try await client.execute(
            jobs.map { job in
                RedisCommand("HGET", Keys.job(job), "acknowledged", slot: Slot(ofKey: Keys.job(job)))
            })
        var counts: [Int] = []
        for reply in replies {
            if reply == .null {
                counts.append(0)
            } else {
                guard let count = reply.text.flatMap({ Int($0) }) else { throw unexpected(reply) }
                counts.append(count)
            }
        }
        return counts
    }
}
