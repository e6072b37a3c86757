import Common

// Topics: who has subscribers, and what is kept. What each method promises stands at `TopicStore`, what the scripts do
// in `Scripts/`.

extension RedisRouteStore: TopicStore {
    /// Changes on the way to Redis before replies are waited for.
    private static let changesPerTurnMax = 1_000
    /// Lua's numbers are exact up to here; no offset comes near it.
    private static let offsetMax: UInt64 = 1 << 53

    // MARK: Who has subscribers

    package func announce(
        _ changes: [TopicPresenceChange], of node: Incarnation
    ) async -> [Result<Void, WindfireError>] {
        var results: [Result<Void, WindfireError>] = []
        results.reserveCapacity(changes.count)
        for start in stride(from: 0, to: changes.count, by: Self.changesPerTurnMax) {
            results += await announceTurn(changes[start..<min(start + Self.changesPerTurnMax, changes.count)], of: node)
        }
        return results
    }

    /// A command for each topic, and one for all patterns.
    private func announceTurn(
        _ changes: ArraySlice<TopicPresenceChange>, of node: Incarnation
    ) async -> [Result<Void, WindfireError>] {
        var commands: [RedisCommand] = []
        var words: [String] = []
        /// The command of each change; nil for that of the patterns.
        var places: [Int?] = []
        for change in changes {
            guard let topic = change.pattern.topic else {
                words += [change.isPresent ? "+" : "-", TopicParser.field(change.pattern, node)]
                places.append(nil)
                continue
            }
            let key = Keys.topic(topic)
            places.append(commands.count)
            commands.append(
                RedisCommand(change.isPresent ? "SADD" : "SREM", key, node.description, slot: Slot(ofKey: key)))
        }
        if !words.isEmpty { commands.append(changePatterns(words)) }
        let replies = await client.executeEach(commands)
        return places.map { place in
            switch replies[place ?? commands.count - 1] {
            case .success(let reply): reply.integer == nil ? .failure(unexpected(reply)) : .success(())
            case .failure(let error): .failure(error)
            }
        }
    }

    private func changePatterns(_ words: [String]) -> RedisCommand {
        RedisCommand(.changePatterns, keys: [Keys.patterns, Keys.patternsVersion], words)
    }

    package func announcedPatterns() async throws(WindfireError) -> (rows: [PatternDirectory.Row], version: UInt64) {
        let reply = try await run(.readPatterns, keys: [Keys.patterns, Keys.patternsVersion])
        var parser = TopicParser()
        let patterns = parser.patterns(reply)
        noteCorrupt(parser.corruptCount)
        guard let patterns else { throw unexpected(reply) }
        return patterns
    }

    package func forget(_ nodes: Set<Incarnation>, in topic: Topic?) async throws(WindfireError) {
        guard !nodes.isEmpty else { return }
        if let topic {
            let key = Keys.topic(topic)
            var arguments = CommandArguments()
            for word in ["SREM", key] + nodes.map(\.description) { arguments.append(word) }
            _ = try integer(try await ask(RedisCommand(arguments, slot: Slot(ofKey: key))))
        } else {
            _ = try integer(try await ask(changePatterns(nodes.flatMap { ["gone", $0.description] })))
        }
    }

    // MARK: Publishing

    package func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?
    ) async throws(WindfireError) -> TopicReach {
        guard let history, !messages.isEmpty else { return try await reach(of: topic) }
        var command = publishCommand(messages, topic, history, isRepeat: false)
        // The connection died: the first call may have appended them.
        command.again = { self.publishCommand(messages, topic, history, isRepeat: true) }
        let reply = try await ask(command)
        var parser = TopicParser()
        let reach = parser.reach(reply, count: messages.count)
        noteCorrupt(parser.corruptCount)
        guard let reach else { throw unexpected(reply) }
        guard !seesVersion else { return reach }
        // Not before the append is done: who subscribes by a wildcard, and then reads a history without this message,
        // must be found.
        let version = try version(in: try await ask(versionCommand))
        return TopicReach(nodes: reach.nodes, patternsVersion: version, positions: reach.positions)
    }

    /// Both are read after the call began, in any order: whoever was told before then is in one of them.
    private func reach(of topic: Topic) async throws(WindfireError) -> TopicReach {
        let key = Keys.topic(topic)
        let replies = try await client.execute([
            RedisCommand("SMEMBERS", key, slot: Slot(ofKey: key)), versionCommand,
        ])
        guard let members = replies[0].array else { throw unexpected(replies[0]) }
        var parser = TopicParser()
        let nodes = parser.incarnations(members)
        noteCorrupt(parser.corruptCount)
        return TopicReach(nodes: nodes, patternsVersion: try version(in: replies[1]), positions: [])
    }

    /// On one server the script that publishes reads the version, too; in a cluster that is in another slot.
    private var seesVersion: Bool { client.configuration.topology == .single }

    private var versionCommand: RedisCommand {
        RedisCommand("GET", Keys.patternsVersion, slot: Slot(ofKey: Keys.patternsVersion))
    }

    private func version(in reply: RESPValue) throws(WindfireError) -> UInt64 {
        if reply == .null { return 0 }
        guard let version = reply.text.flatMap({ UInt64($0) }) else { throw unexpected(reply) }
        return version
    }

    func publishCommand(
        _ messages: [TopicMessage], _ topic: Topic, _ history: TopicRule.History, isRepeat: Bool
    ) -> RedisCommand {
        let keys = [Keys.history(topic), Keys.counting(topic), Keys.topic(topic)]
        return RedisCommand(.publish, keys: seesVersion ? keys + [Keys.patternsVersion] : keys) { arguments in
            arguments.append(isRepeat ? "1" : "0")
            arguments.append(String(history.countMax))
            arguments.append(String(history.ageMax.wholeMilliseconds))
            arguments.append(String(history.countingKept.wholeMilliseconds))
            for message in messages {
                arguments.append(message.id.text)
                arguments.append(String(message.timestampMilliseconds))
                arguments.append(message.data)
                arguments.append(message.from?.text ?? "")
            }
        }
    }

    // MARK: Reading

    package func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History
    ) async throws(WindfireError) -> HistoryPage<TopicMessage> {
        let after = offset.map { String(min($0, Self.offsetMax)) } ?? ""
        let reply = try await run(
            .replay, keys: [Keys.history(topic), Keys.counting(topic)], after, String(max(1, countMax)),
            String(TopicRule.History.pageBytesMax), String(history.countMax),
            String(history.ageMax.wholeMilliseconds))
        var parser = TopicParser()
        let page = parser.page(reply)
        noteCorrupt(parser.corruptCount)
        guard let page else { throw unexpected(reply) }
        return page
    }
}
