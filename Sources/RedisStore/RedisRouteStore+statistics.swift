import Common

// What Redis says about itself, for measurements.

extension RedisRouteStore {
    /// How many commands it has carried out since its start, by name; those inside of scripts count, too. Of one
    /// server: a cluster's nodes each count their own.
    /// - Throws: `routes_unavailable`.
    package func commandCounts() async throws(WindfireError) -> [String: Int] {
        let replies = try await client.execute([RedisCommand("INFO", "commandstats")])
        return Self.commandCounts(in: replies.first?.text ?? "")
    }

    /// `cmdstat_get:calls=3,usec=…` on each line (redis.io/docs/latest/commands/info).
    static func commandCounts(in info: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in info.split(whereSeparator: \.isNewline) where line.hasPrefix("cmdstat_") {
            let name = line.dropFirst("cmdstat_".count).prefix { $0 != ":" }
            guard let calls = line.firstRange(of: "calls=") else { continue }
            counts[String(name)] = Int(line[calls.upperBound...].prefix(while: \.isNumber))
        }
        return counts
    }
}
