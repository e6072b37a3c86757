import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore

/// The route store on Redis, a single server or a Cluster. Each write is one Lua script on one bucket (`Scripts/`), so
/// it happens as a whole or not at all, whoever else writes. What each method promises stands at `RouteStore`.
package final class RedisRouteStore: RouteStore {
    let client: RedisClient
    let limits: Limits
    let logger: Logger
    private let corruptCount = NIOLockedValueBox(0)

    /// Begins to dial at once; nothing waits for it. `shutDown()` must be called at the end.
    /// - Throws: `configuration_invalid` when the TLS files cannot be used.
    package init(
        configuration: RedisConfiguration, limits: Limits, logger: Logger, group: any EventLoopGroup
    ) throws(WindfireError) {
        client = try RedisClient(configuration: configuration, logger: logger, group: group)
        self.limits = limits
        self.logger = logger
    }

    package func shutDown() async { await client.shutDown() }

    /// For `/readyz`: whether Redis answers now. Takes a few command timeouts at most.
    package func isReachable() async -> Bool { await client.isReachable() }

    /// Lines in Redis that were not routes, since the start. Above 0, somebody else writes to our keys.
    package var corruptRoutes: Int { corruptCount.withLockedValue(\.self) }

    // MARK: One client

    package func claim(_ claim: RouteClaim) async throws(WindfireError) -> ClaimResult {
        let reply = try await ask(command(claim))
        let fields = reply.array ?? []
        switch fields.first?.text {
        case "granted":
            guard fields.count == 4, let epoch = fields[1].text.flatMap(UInt64.init),
                let displaced = fields[2].array, let page = fields[3].array
            else { throw unexpected(reply) }
            // A device that takes no stored messages has no page at all.
            let inbox = page.isEmpty ? InboxPage.empty : try inboxPage(fields[3])
            return .granted(Epoch(epoch), displaced: routes(displaced[...]), inbox: inbox)
        case "revoked": return .revoked
        case "conflict":
            guard fields.count == 2, let wait = fields[1].integer else { throw unexpected(reply) }
            return .conflict(retryAfter: .milliseconds(wait))
        default: throw unexpected(reply)
        }
    }

    func command(_ claim: RouteClaim) -> RedisCommand {
        let bucket = Bucket(of: claim.client)
        return RedisCommand(
            .claim,
            keys: [
                Keys.routes(bucket), Keys.epoch(bucket), Keys.generations(bucket),
                Keys.war(bucket, claim.client, claim.device), Keys.node(bucket, claim.incarnation),
            ] + Keys.box(claim.client),
            [
                claim.client.text, claim.device.text, claim.incarnation.description, claim.session.description,
                claim.generation.description, String(limits.devicesPerClientMax), String(limits.displacementsMax),
                String(limits.displacementWindow.wholeMilliseconds), Keys.nodePrefix(bucket),
                claim.wantsInbox ? "1" : "0", String(limits.inboxPageMessagesMax), String(limits.inboxPageBytesMax),
                String(limits.inboxDevicesMax), cursorsKept,
            ])
    }

    package func reclaim(_ entry: ClientRoute, generation: Generation) async throws(WindfireError) -> ReclaimResult {
        let bucket = Bucket(of: entry.client)
        let route = entry.route
        let reply = try await run(
            .reclaim,
            keys: [
                Keys.routes(bucket), Keys.epoch(bucket), Keys.generations(bucket),
                Keys.node(bucket, route.incarnation),
            ],
            entry.client.text, route.device.text, route.incarnation.description, route.session.description,
            generation.description, route.epoch.description, String(limits.devicesPerClientMax),
            Keys.nodePrefix(bucket))
        switch reply.text {
        case "kept": return .kept
        case "superseded": return .superseded
        case "revoked": return .revoked
        default: throw unexpected(reply)
        }
    }

    @discardableResult
    package func release(_ entry: ClientRoute) async throws(WindfireError) -> Bool {
        let bucket = Bucket(of: entry.client)
        let route = entry.route
        let reply = try await run(
            .release, keys: [Keys.routes(bucket), Keys.node(bucket, route.incarnation)],
            entry.client.text, route.device.text, route.incarnation.description, route.session.description)
        return try integer(reply) == 1
    }

    package func generation(of client: ClientID) async throws(WindfireError) -> Generation {
        let key = Keys.generations(Bucket(of: client))
        let reply = try await ask(RedisCommand("HGET", key, client.text, slot: Slot(ofKey: key)))
        if reply == .null { return .first }
        guard let value = reply.text.flatMap(UInt64.init) else { throw unexpected(reply) }
        return Generation(value)
    }

    // MARK: Incarnations

    package func announce(_ incarnation: Incarnation) async throws(WindfireError) {
        _ = try await run(.announce, keys: [Keys.incarnations], incarnation.description)
    }

    package func announcedIncarnations() async throws(WindfireError) -> Set<Incarnation> {
        let reply = try await ask(
            RedisCommand("ZRANGE", Keys.incarnations, "0", "-1", slot: Slot(ofKey: Keys.incarnations)))
        guard let members = reply.array else { throw unexpected(reply) }
        return Set(members.compactMap { member in member.text.flatMap { try? Incarnation($0) } })
    }

    @discardableResult
    package func bury(_ incarnation: Incarnation) async throws(WindfireError) -> Int {
        let replies = try await askEachBucket { bucket in
            RedisCommand(
                .bury, keys: [Keys.routes(bucket), Keys.node(bucket, incarnation)], [incarnation.description])
        }
        var removed = 0
        for reply in replies { removed += Int(try integer(reply)) }
        _ = try await run(.forgetLoad, keys: [Keys.load], incarnation.node.text, incarnation.description)
        // Last, so that a burial that was cut short is done again.
        _ = try await ask(
            RedisCommand(
                "ZREM", Keys.incarnations, incarnation.description, slot: Slot(ofKey: Keys.incarnations)))
        return removed
    }

    package func sessionCounts(of incarnation: Incarnation) async throws(WindfireError) -> [Bucket: Int] {
        let replies = try await askEachBucket { bucket in
            RedisCommand("SCARD", Keys.node(bucket, incarnation), slot: Slot(of: bucket))
        }
        var counts: [Bucket: Int] = [:]
        for (bucket, reply) in zip(Bucket.all, replies) {
            let count = Int(try integer(reply))
            if count > 0 { counts[bucket] = count }
        }
        return counts
    }

    package func sessions(
        of incarnation: Incarnation, in bucket: Bucket
    ) async throws(WindfireError) -> [ClientRoute] {
        let reply = try await run(
            .sessions, keys: [Keys.routes(bucket), Keys.node(bucket, incarnation)], incarnation.description)
        guard let fields = reply.array else { throw unexpected(reply) }
        var sessions: [ClientRoute] = []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let client = fields[index].text.flatMap({ try? ClientID($0) }),
                let route = routes(fields[(index + 1)...(index + 1)]).first
            else { continue }
            sessions.append(ClientRoute(client: client, route: route))
        }
        return sessions
    }

    // MARK: Helpers

    func ask(_ command: RedisCommand) async throws(WindfireError) -> RESPValue {
        let reply = try await client.execute([command])[0]
        if case .error(let error) = reply { throw refused(error) }
        return reply
    }

    func run(_ script: Script, keys: [String], _ arguments: String...) async throws(WindfireError) -> RESPValue {
        try await ask(RedisCommand(script, keys: keys, arguments))
    }

    /// The same question to all 1,024 buckets, 128 in flight, replies in the order of the buckets.
    private func askEachBucket(_ command: (Bucket) -> RedisCommand) async throws(WindfireError) -> [RESPValue] {
        var replies: [RESPValue] = []
        replies.reserveCapacity(Bucket.count)
        for start in stride(from: 0, to: Bucket.count, by: 128) {
            replies += try await client.execute(
                (start..<start + 128).map { command(Bucket(UInt16($0))) })
        }
        return replies
    }

    func integer(_ reply: RESPValue) throws(WindfireError) -> Int64 {
        guard let integer = reply.integer else { throw unexpected(reply) }
        return integer
    }

    /// A script or command that Redis could not carry out: a wrong type under one of our keys, no memory left, a
    /// replica set that is too small for writes. Nothing was written.
    func refused(_ error: RedisReplyError) -> WindfireError {
        WindfireError(.routesUnavailable, "Redis refused a command", retryAfter: .seconds(5), cause: error)
    }

    func unexpected(_ reply: RESPValue) -> WindfireError {
        if case .error(let error) = reply { return refused(error) }
        return WindfireError(.internalError, "Redis answered in a form that is not ours")
    }

    func routes(_ lines: ArraySlice<RESPValue>) -> [Route] {
        var parser = RouteParser()
        defer { noteCorrupt(parser.corruptCount) }
        return lines.flatMap { line in
            if case .bulk(let bytes) = line { parser.routes(bytes) } else { [Route]() }
        }
    }

    /// The first time, an operator hears of it; the number goes on in `corruptRoutes`.
    func noteCorrupt(_ count: Int) {
        guard count > 0 else { return }
        let before = corruptCount.withLockedValue { total in
            defer { total += count }
            return total
        }
        if before == 0 {
            logger.warning(
                "Routes in Redis are not in our form and are left out",
                metadata: [Logger.Metadata.Key.count: "\(count)"])
        }
    }
}
