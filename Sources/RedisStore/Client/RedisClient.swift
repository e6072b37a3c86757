import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// Sends commands to the Redis that serves their slot, and again where Redis says "elsewhere", "not now" or "unknown
/// script". One server or a cluster makes no difference to callers.
package final class RedisClient: Sendable {
    private enum Topology {
        case single(RedisNode)
        case cluster(ClusterTopology)
    }

    package let configuration: RedisConfiguration
    private let sentCount = NIOLockedValueBox(0)
    private let topology: Topology

    /// Begins to dial at once. `shutDown()` must be called at the end.
    /// - Throws: `configuration_invalid` when the TLS files cannot be used.
    package init(
        configuration: RedisConfiguration, logger: Logger, group: any EventLoopGroup
    ) throws(WindfireError) {
        self.configuration = configuration
        let tls = try configuration.tls?.makeContext()
        let environment: @Sendable (@escaping @Sendable () -> Void) -> RedisNode.Environment = { troubled in
            RedisNode.Environment(
                configuration: configuration, tls: tls, group: group, logger: logger, troubled: troubled)
        }
        switch configuration.topology {
        case .single: topology = .single(RedisNode(configuration.addresses[0], environment {}))
        case .cluster:
            topology = .cluster(
                ClusterTopology(seeds: configuration.addresses) { cluster in
                    environment { [weak cluster] in cluster?.refreshSoon() }
                })
        }
    }

    /// Commands handed to connections since the start, those that were sent again included.
    package var commandsSent: Int { sentCount.withLockedValue(\.self) }

    package func shutDown() async {
        switch topology {
        case .single(let node): await node.shutDown()
        case .cluster(let cluster): await cluster.shutDown()
        }
    }

    /// Whether Redis answers now: the server, or every master of a cluster that serves all slots.
    package func isReachable() async -> Bool {
        let nodes: [RedisNode?]
        switch topology {
        case .single(let node): nodes = [node]
        case .cluster(let cluster):
            if await cluster.refresh() != nil || cluster.coveredCount < Slot.count { return false }
            nodes = cluster.masters.map { cluster.node(at: $0) }
        }
        return await withTaskGroup { group in
            for node in nodes {
                group.addTask {
                    guard let reply = await node?.execute([RedisCommand("PING")]).first else { return false }
                    return reply == .success(.status("PONG"))
                }
            }
            return await group.allSatisfy(\.self)
        }
    }

    /// Replies in the order of the commands. An error of Redis that trying again does not change is a reply.
    /// - Throws: `routes_unavailable` when a command got no reply. Others may have been carried out.
    package func execute(_ commands: [RedisCommand]) async throws(WindfireError) -> [RESPValue] {
        var replies: [RESPValue] = []
        replies.reserveCapacity(commands.count)
        for result in await run(commands, stopsAtFailure: true) { replies.append(try result.get()) }
        return replies
    }

    /// The same for commands that do not depend on each other: each has its own reply or `routes_unavailable`.
    package func executeEach(_ commands: [RedisCommand]) async -> [Result<RESPValue, WindfireError>] {
        await run(commands, stopsAtFailure: false)
    }

    /// With `stopsAtFailure`, those without a reply so far share the first failure.
    private func run(
        _ commands: [RedisCommand], stopsAtFailure: Bool
    ) async -> [Result<RESPValue, WindfireError>] {
        var replies = [Result<RESPValue, WindfireError>](repeating: .success(.null), count: commands.count)
        var open = commands.indices.map { Attempt(index: $0) }
        let giveUp = ContinuousClock.now + configuration.retryWindow
        var round = 0

        while !open.isEmpty {
            var again: [Attempt] = []
            var pause = false
            var last = "no reply"
            for (attempt, reply) in await send(open, of: commands) {
                let verdict = ReplyVerdict(reply)
                switch verdict {
                case .final:
                    if case .success(let value) = reply { replies[attempt.index] = .success(value) }
                    continue
                case .failed, .loadScript, .moved, .ask, .later, .reconnect: break
                }
                if case .success(.error(let error)) = reply { last = error.text }
                if case .failure(let failure) = reply { last = "\(failure)" }
                do throws(WindfireError) {
                    var (next, waits) = try await prepare(attempt, for: verdict)
                    if case .failure(.connectionLost) = reply { next.mayHaveRun = true }
                    again.append(next)
                    // Following a redirection once is normal; being sent in circles is not, and may pass.
                    pause = pause || waits || round > 2
                } catch {
                    replies[attempt.index] = .failure(error)
                    if stopsAtFailure { return replies }
                }
            }
            open = again
            guard !open.isEmpty else { break }
            round += 1
            guard ContinuousClock.now < giveUp else {
                let error = WindfireError(.routesUnavailable, "Redis did not serve a command in time: \(last)")
                for attempt in open { replies[attempt.index] = .failure(error) }
                return replies
            }
            if pause {
                var backoff = configuration.backoff
                backoff.most = .milliseconds(250)
                try? await Task.sleep(for: backoff.delay(attempt: round - 1, share: .random(in: 0...1)))
            }
        }
        return replies
    }

    // MARK: One round

    /// A command that has no final reply yet, and how to send it next.
    private struct Attempt: Sendable {
        let index: Int
        /// Not to the slot's master but here, with ASKING.
        var asking: RedisAddress?
        var loadsScript = false
        /// It was sent and its connection died.
        var mayHaveRun = false
    }

    private func prepare(
        _ attempt: Attempt, for verdict: ReplyVerdict
    ) async throws(WindfireError) -> (next: Attempt, waits: Bool) {
        var next = Attempt(index: attempt.index, mayHaveRun: attempt.mayHaveRun)
        switch (verdict, topology) {
        case (.loadScript, _):
            next.asking = attempt.asking
            next.loadsScript = true
            return (next, attempt.loadsScript)
        case (.moved, .single), (.ask, .single):
            throw WindfireError(
                .routesUnavailable, "this Redis is part of a cluster; its address must begin with redis+cluster://")
        case (.moved(let slot, let address), .cluster(let cluster)):
            cluster.moved(slot, to: address)
            return (next, false)
        case (.ask(let address), .cluster):
            next.asking = address
            return (next, false)
        case (.reconnect, .single(let node)):
            await node.reconnect()
            return (next, true)
        case (.later(refresh: true), .cluster(let cluster)), (.reconnect, .cluster(let cluster)):
            cluster.refreshSoon()
            return (next, true)
        case (.later, _): return (next, true)
        case (.failed(let failure), _): throw Self.unavailable(failure)
        case (.final, _): return (next, false)
        }
    }

    /// Sends each attempt to its node, all nodes at once, each node's in one go.
    private func send(_ attempts: [Attempt], of commands: [RedisCommand]) async -> [(Attempt, RedisReply)] {
        let cluster: ClusterTopology
        switch topology {
        case .single(let node): return await send(attempts, of: commands, to: node)
        case .cluster(let topology): cluster = topology
        }
        if cluster.masters.isEmpty, let failure = await cluster.refresh() {
            return attempts.map { ($0, .failure(failure)) }
        }

        var byNode: [RedisAddress: [Attempt]] = [:]
        var results: [(Attempt, RedisReply)] = []
        for attempt in attempts {
            if let address = attempt.asking ?? cluster.address(of: commands[attempt.index].slot) {
                byNode[address, default: []].append(attempt)
            } else {
                results.append((attempt, .success(.error(RedisReplyError("CLUSTERDOWN nobody serves the slot")))))
            }
        }
        await withTaskGroup { group in
            for (address, attempts) in byNode {
                guard let node = cluster.node(at: address) else {
                    results += attempts.map { ($0, .failure(.shutDown)) }
                    continue
                }
                group.addTask { await self.send(attempts, of: commands, to: node) }
            }
            for await result in group { results += result }
        }
        return results
    }

    private func send(
        _ attempts: [Attempt], of commands: [RedisCommand], to node: RedisNode
    ) async -> [(Attempt, RedisReply)] {
        var batch: [RedisCommand] = []
        var places: [Int] = []
        batch.reserveCapacity(attempts.count)
        places.reserveCapacity(attempts.count)
        var loaded: Set<Script> = []
        for attempt in attempts {
            var command = commands[attempt.index]
            if attempt.mayHaveRun, let again = command.again { command = again() }
            if attempt.loadsScript, let script = command.script, loaded.insert(script).inserted {
                batch.append(script.load)
            }
            // Holds for the next command only (ASKING).
            if attempt.asking != nil { batch.append(RedisCommand("ASKING")) }
            places.append(batch.count)
            batch.append(command)
        }
        sentCount.withLockedValue { $0 += batch.count }
        let replies = await node.execute(batch)
        return zip(attempts, places).map { ($0, replies[$1]) }
    }

    private static func unavailable(_ failure: RedisFailure) -> WindfireError {
        let message =
            switch failure {
            case .unreachable: "Redis cannot be reached"
            case .timedOut: "Redis did not answer in time"
            case .connectionLost: "the connection to Redis was lost"
            case .overloaded: "too many commands wait for Redis"
            case .refused: "Redis refused the user, the password, or a permission"
            case .malformedReply: "what answers at the address of Redis does not speak its protocol"
            case .shutDown: "the route store is stopping"
            }
        return WindfireError(.routesUnavailable, message, retryAfter: .seconds(1), cause: failure)
    }
}
