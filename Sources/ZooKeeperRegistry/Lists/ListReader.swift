import Common
import Logging
import Synchronization

/// One role's list: what is believed, and who follows it. It outlives sessions.
final class MemberList: Sendable {
    let role: Member.Role
    let latest = LatestValue<Members>(.unknown)
    /// What watches fire: the reader of the present session waits for it.
    let changed = Signal()
    private let view: Mutex<MemberView>

    init(_ role: Member.Role, holdBack: Duration) {
        self.role = role
        view = Mutex(MemberView(holdBack: holdBack))
    }

    /// - Returns: when to read again, if something is held back.
    func read(_ members: [Member], now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        view.withLock { view in
            let action = view.read(members, now: now)
            latest.set(view.members)
            if case .readAgain(let until, _) = action { return until }
            return nil
        }
    }

    func lostSight() { view.withLock { $0.lostSight() } }
}

/// Reads one role's list for one session: the names with a watch, then each entry with a watch, all of it again when a
/// watch fires. A watch is armed by the reading itself, so nothing can happen between the two unseen. Lists are small
/// (a few hundred entries of 1 KiB) and change rarely; reading all of it each time leaves no state that could go stale.
struct ListReader: Sendable {
    let connection: Connection
    let list: MemberList
    let reread: Duration
    let logger: Logger

    /// Entries asked for at once.
    private static let inFlightMax = 64

    func run() async {
        var backoff = Backoff(base: .milliseconds(50), cap: .seconds(5))
        var lastError: ZooKeeperError?
        while !Task.isCancelled, await connection.untilConnected() != nil {
            var next = ContinuousClock.now.advanced(by: reread)
            do throws(ZooKeeperError) {
                let members = try await read()
                if let until = list.read(members, now: .now) { next = min(next, until) }
                backoff.reset()
                lastError = nil
            } catch {
                next = .now.advanced(by: backoff.next(random: .random(in: 0...1)))
                if !error.isConnectionTrouble, error != lastError {
                    logger.warning(
                        "the registry's list cannot be read; going on with the last one",
                        metadata: [
                            Logger.Metadata.Key.role: "\(list.role.rawValue)", Logger.Metadata.Key.error: "\(error)",
                        ])
                }
                lastError = error
            }
            await list.changed.wait(until: next)
        }
    }

    private func read() async throws(ZooKeeperError) -> [Member] {
        let folder = connection.path(list.role)
        var names: [String]
        do {
            names = try await connection.handle.children(folder, watch: list.changed)
        } catch  where error.isNoNode {
            try await connection.makeFolder(list.role)
            names = try await connection.handle.children(folder, watch: list.changed)
        }
        var members: [Member] = []
        while !names.isEmpty {
            let batch = names.suffix(Self.inFlightMax)
            names.removeLast(batch.count)
            for result in await read(Array(batch), in: folder) {
                if let member = try result.get() { members.append(member) }
            }
        }
        return members
    }

    /// Each entry's member; nil for one that went meanwhile, or that is no member's of that name.
    private func read(_ names: [String], in folder: String) async -> [Result<Member?, ZooKeeperError>] {
        await withTaskGroup(of: Result<Member?, ZooKeeperError>.self) { group in
            for name in names {
                group.addTask {
                    do throws(ZooKeeperError) {
                        let entry = try await connection.handle.get("\(folder)/\(name)", watch: list.changed)
                        let member = entry.flatMap { MemberJSON.decode($0.bytes) }
                        return .success(member?.id.text == name ? member : nil)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var results: [Result<Member?, ZooKeeperError>] = []
            for await result in group { results.append(result) }
            return results
        }
    }
}
