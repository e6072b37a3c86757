import Crypto

/// The Lua scripts, one atomic operation each; what they do stands in their files. Built into the program. Lua in Redis
/// has no modules: what the scripts on inboxes share stands in front of each, and likewise for the history of topics.
enum Script: CaseIterable, Sendable {
    case claim, reclaim, release, bury, sessions, revoke, record, revocations, announce, forgetLoad, lease
    case store, read, acknowledge, heads, summary, purge, remember, count
    case publish, replay, changePatterns, readPatterns

    var source: [UInt8] {
        switch self {
        case .claim: PackageResources.inbox_lua + PackageResources.claim_lua
        case .reclaim: PackageResources.reclaim_lua
        case .release: PackageResources.release_lua
        case .bury: PackageResources.bury_lua
        case .sessions: PackageResources.sessions_lua
        case .revoke: PackageResources.revoke_lua
        case .record: PackageResources.record_lua
        case .revocations: PackageResources.revocations_lua
        case .announce: PackageResources.announce_lua
        case .forgetLoad: PackageResources.forget_load_lua
        case .lease: PackageResources.lease_lua
        case .store: PackageResources.inbox_lua + PackageResources.store_lua
        case .read: PackageResources.inbox_lua + PackageResources.read_lua
        case .acknowledge: PackageResources.inbox_lua + PackageResources.acknowledge_lua
        case .heads: PackageResources.heads_lua
        case .summary: PackageResources.summary_lua
        case .purge: PackageResources.inbox_lua + PackageResources.purge_lua
        case .remember: PackageResources.remember_lua
        case .count: PackageResources.count_lua
        case .publish: PackageResources.history_lua + PackageResources.publish_lua
        case .replay: PackageResources.history_lua + PackageResources.replay_lua
        case .changePatterns: PackageResources.change_patterns_lua
        case .readPatterns: PackageResources.read_patterns_lua
        }
    }

    /// What Redis calls it: the SHA-1 of its source, 40 hex digits (EVALSHA).
    var digest: String { Self.digests[self] ?? "" }

    /// Teaches it to a node.
    var load: RedisCommand {
        var arguments = CommandArguments()
        arguments.append("SCRIPT")
        arguments.append("LOAD")
        arguments.append(source)
        return RedisCommand(arguments, slot: nil)
    }

    private static let digests: [Script: String] = Dictionary(
        uniqueKeysWithValues: allCases.map { script in
            let digits = Array("0123456789abcdef")
            let digest = Insecure.SHA1.hash(data: script.source)
            return (script, String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }))
        })
}
