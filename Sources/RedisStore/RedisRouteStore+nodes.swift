import Common
import Foundation

// What nodes tell one another through Redis: revocations, load, leases. Rare; each key is global and has its own slot.

extension RedisRouteStore {
    /// How long a revocation is on record: an hour, which readers may be apart, and a margin.
    private static let revocationsKept: Duration = .seconds(65 * 60)
    /// How far back `.start` reaches.
    private static let revocationsStart: Duration = .seconds(5 * 60)
    /// How much the next cursor lies before now.
    private static let revocationsMargin: Duration = .seconds(10)

    package func revoke(_ client: ClientID) async throws(WindfireError) -> Generation {
        let reply = try await run(.revoke, keys: [Keys.generations(Bucket(of: client))], client.text)
        guard let value = reply.text.flatMap(UInt64.init) else { throw unexpected(reply) }
        // Another slot, so another step. When it fails the caller hears of it and revokes again, which is harmless.
        _ = try await run(
            .record, keys: [Keys.revoked], "\(client.text)|\(value)",
            String(Self.revocationsKept.wholeMilliseconds))
        return Generation(value)
    }

    package func revocations(since cursor: RevocationCursor) async throws(WindfireError) -> RevocationPage {
        let reply = try await run(
            .revocations, keys: [Keys.revoked], String(cursor.milliseconds),
            String(Self.revocationsStart.wholeMilliseconds), String(Self.revocationsMargin.wholeMilliseconds))
        guard let fields = reply.array, let next = fields.first?.text.flatMap(UInt64.init) else {
            throw unexpected(reply)
        }
        var revoked: [ClientID: Generation] = [:]
        for field in fields.dropFirst() {
            guard let parts = field.text?.split(separator: "|"), parts.count == 2,
                let client = try? ClientID(String(parts[0])), let value = UInt64(parts[1])
            else {
                noteCorrupt(1)
                continue
            }
            revoked[client] = max(revoked[client] ?? .first, Generation(value))
        }
        return RevocationPage(revoked: revoked, next: RevocationCursor(milliseconds: next))
    }

    package func reportLoad(_ load: NodeLoad) async throws(WindfireError) {
        let json: String
        do {
            json = String(decoding: try JSONEncoder().encode(load), as: UTF8.self)
        } catch {
            throw WindfireError(.internalError, "a load report cannot be written as JSON", cause: error)
        }
        _ = try await ask(
            RedisCommand("HSET", Keys.load, load.incarnation.node.text, json, slot: Slot(ofKey: Keys.load)))
    }

    package func loads() async throws(WindfireError) -> [NodeID: NodeLoad] {
        let reply = try await ask(RedisCommand("HGETALL", Keys.load, slot: Slot(ofKey: Keys.load)))
        guard let fields = reply.array else { throw unexpected(reply) }
        var loads: [NodeID: NodeLoad] = [:]
        for index in stride(from: 1, to: fields.count, by: 2) {
            guard let json = fields[index].text,
                let load = try? JSONDecoder().decode(NodeLoad.self, from: Data(json.utf8))
            else {
                noteCorrupt(1)
                continue
            }
            loads[load.incarnation.node] = load
        }
        return loads
    }

    package func acquireLease(
        _ name: String, holder: Incarnation, for duration: Duration
    ) async throws(WindfireError) -> Bool {
        let reply = try await run(
            .lease, keys: [Keys.lease(name)], holder.description, String(max(1, duration.wholeMilliseconds)))
        return try integer(reply) == 1
    }
}
