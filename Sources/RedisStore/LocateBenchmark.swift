import Common
import Logging
import NIOCore

/// How fast a list is located: fills a Redis with online clients, locates them all several times, cleans up. For
/// `windfire bench`; the figure to compare with is that of `redis-benchmark -P 50 -n 1000000 HGET …` on the same
/// server.
package enum LocateBenchmark {
    package struct Report: Sendable, Codable {
        package let clients: Int
        /// Clients located per second, in each round.
        package let clientsPerSecond: [Double]

        package var median: Double { clientsPerSecond.sorted()[clientsPerSecond.count / 2] }

        enum CodingKeys: String, CodingKey {
            case clients
            case clientsPerSecond = "clients_per_second"
        }
    }

    /// - Throws: `routes_unavailable` when Redis does not answer, `internal_error` when a client is not found.
    package static func run(
        on store: RedisRouteStore, clients count: Int = 100_000, rounds: Int = 7
    ) async throws(WindfireError) -> Report {
        precondition(count > 0 && rounds > 0, "there is something to measure")
        let nodes = (0..<8).map { Incarnation.new(of: NodeID(unchecked: "bench-\($0)")) }
        let clients = (0..<count).map { ClientID(unchecked: "bench-client-\($0)") }
        do throws(WindfireError) {
            try await fill(store, clients, nodes)
            var rates: [Double] = []
            for _ in 0..<rounds {
                let clock = ContinuousClock()
                let start = clock.now
                let located = try await store.locate(clients)
                let seconds = (clock.now - start) / .seconds(1)
                guard located.allSatisfy({ $0.count == 1 }) else {
                    throw WindfireError(.internalError, "a client that is online was not located")
                }
                rates.append(Double(count) / seconds)
            }
            try await clear(store, clients, nodes)
            return Report(clients: count, clientsPerSecond: rates)
        } catch {
            // What is left is named by announced incarnations, so the janitor of a running system finds it.
            try? await clear(store, clients, nodes)
            throw error
        }
    }

    /// Claims are scripts, and measured elsewhere; here they go out many at a time.
    private static func fill(
        _ store: RedisRouteStore, _ clients: [ClientID], _ nodes: [Incarnation]
    ) async throws(WindfireError) {
        for node in nodes { try await store.announce(node) }
        for start in stride(from: 0, to: clients.count, by: 1000) {
            let commands = (start..<min(start + 1000, clients.count)).map { index in
                store.command(
                    RouteClaim(
                        client: clients[index], device: .default, incarnation: nodes[index % nodes.count],
                        session: SessionID(shard: UInt8(index % 4), random: (UInt64(index), UInt64(index))),
                        generation: Generation(.max >> 12)))
            }
            for reply in try await store.client.execute(commands) {
                if case .error(let error) = reply { throw store.refused(error) }
            }
        }
    }

    private static func clear(
        _ store: RedisRouteStore, _ clients: [ClientID], _ nodes: [Incarnation]
    ) async throws(WindfireError) {
        for node in nodes { try await store.bury(node) }
        for start in stride(from: 0, to: clients.count, by: 1000) {
            let keys = clients[start..<min(start + 1000, clients.count)].map { Keys.cursor(Bucket(of: $0), $0) }
            _ = try await store.client.execute(keys.map { RedisCommand("DEL", $0, slot: Slot(ofKey: $0)) })
        }
    }
}
