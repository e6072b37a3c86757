import Common

// One question about each client of a list, asked bucket by bucket: the clients of a bucket share a command, commands
// are pipelined in turns, and while Redis works on one turn others are being written and read.
//
// A list of a thousand is spread over most of the 1,024 buckets, and a script call costs Redis as much as what it does
// for a client. On a single server scripts whose keys are given for each client take those of any bucket together.

extension RedisRouteStore {
    /// - Parameters:
    ///   - perCommand: clients in one command.
    ///   - perTurn: clients asked about before replies are waited for.
    ///   - mayMix: whether the command may have clients of several buckets, on a server that is no cluster.
    ///   - command: for the clients at these places of the list; all of the bucket, unless they may be mixed.
    ///   - read: the answers in a reply, in the order of the command's clients; nil when the reply has another form.
    /// - Returns: an answer for each client, in the order of the list. A client whose command had no reply has the
    ///   reason.
    func inBuckets<Answer: Sendable>(
        _ clients: [ClientID], perCommand: Int, perTurn: Int, mayMix: Bool = false,
        command: @escaping @Sendable (_ bucket: Bucket, _ places: [Int]) -> RedisCommand,
        read: @escaping @Sendable (RESPValue) -> [Answer]?
    ) async -> [Result<Answer, WindfireError>] {
        guard !clients.isEmpty else { return [] }
        let plan =
            mayMix && client.configuration.topology == .single
            ? LocatePlan(acrossBuckets: clients, clientsPerCommandMax: perCommand)
            : LocatePlan(clients, clientsPerCommandMax: perCommand)
        let turns = plan.turns(clientsMax: perTurn)
        var answers: [Result<Answer, WindfireError>?] = Array(repeating: nil, count: clients.count)

        @Sendable func ask(_ turn: Range<Int>) async -> [(places: [Int], Result<[Answer], WindfireError>)] {
            let batches = plan.batches[turn].map { batch in
                (batch.bucket, plan.order[batch.range].map { Int($0) })
            }
            let replies = await client.executeEach(batches.map { command($0.0, $0.1) })
            return zip(batches, replies).map { batch, reply in
                (batch.1, answersOf(reply, count: batch.1.count, read))
            }
        }

        await withTaskGroup { group in
            var waiting = turns[...]
            for turn in waiting.prefix(2 * client.configuration.connectionsPerNode) {
                waiting.removeFirst()
                group.addTask { await ask(turn) }
            }
            for await batches in group {
                if let turn = waiting.popFirst() { group.addTask { await ask(turn) } }
                for (places, result) in batches {
                    for (index, place) in places.enumerated() { answers[place] = result.map { $0[index] } }
                }
            }
        }
        return answers.map { $0 ?? .failure(WindfireError(.internalError, "a client was left out of a list")) }
    }

    private func answersOf<Answer>(
        _ reply: Result<RESPValue, WindfireError>, count: Int, _ read: (RESPValue) -> [Answer]?
    ) -> Result<[Answer], WindfireError> {
        switch reply {
        case .failure(let error): return .failure(error)
        case .success(let value):
            guard let answers = read(value), answers.count == count else { return .failure(unexpected(value)) }
            return .success(answers)
        }
    }
}
