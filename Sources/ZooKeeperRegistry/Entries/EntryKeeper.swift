import Common
import Logging

/// Makes the entries of this process stand, and keeps them standing, for one session. It looks when a wish changes,
/// when a watch fires, when the connection is back, and every `selfCheck` anyhow: does my entry exist, is it mine, does
/// it say what it should? All of it is one loop over `EntryPlan`, for registration, updates, repair and withdrawal
/// alike.
struct EntryKeeper: Sendable {
    let connection: Connection
    let table: EntryTable
    let selfCheck: Duration
    let logger: Logger

    /// Steps of one entry without a pause. A registration takes three; more means that somebody works against us.
    private static let stepsMax = 8

    func run() async {
        var plans: [EntryTable.Key: EntryPlan] = [:]
        var backoff = Backoff(base: .milliseconds(50), cap: .seconds(5))
        var reported: Set<String> = []
        while !Task.isCancelled, let session = await connection.untilConnected() {
            let wishes = table.wishes
            let keys = Set(wishes.map(\.key))
            plans = plans.filter { keys.contains($0.key) }
            var next = ContinuousClock.now.advanced(by: selfCheck)
            var failure: ZooKeeperError?
            // What was said once is not said again, within reason.
            if reported.count > 64 { reported = [] }
            for wish in wishes {
                var plan = plans[wish.key] ?? EntryPlan()
                do throws(ZooKeeperError) {
                    if let until = try await settle(wish, &plan, session, &reported) { next = min(next, until) }
                } catch {
                    failure = error
                    give(up: wish, on: error, &reported)
                }
                plans[wish.key] = plan
            }
            if failure == nil {
                backoff.reset()
            } else {
                // A lost connection is waited for above; this pause is for errors that come back at once.
                next = min(next, .now.advanced(by: backoff.next(random: .random(in: 0...1))))
            }
            await table.changed.wait(until: next)
        }
    }

    /// Brings one entry as far as it gets now.
    /// - Returns: when to look again at the latest, if earlier than the self-check.
    private func settle(
        _ wish: EntryTable.Wish, _ plan: inout EntryPlan, _ session: Connection.Session, _ reported: inout Set<String>
    ) async throws(ZooKeeperError) -> ContinuousClock.Instant? {
        let path = connection.path(wish.key)
        for _ in 0..<Self.stepsMax {
            let found = try await connection.handle.get(path, watch: table.changed).map {
                FoundEntry(version: $0.stat.version, owner: $0.stat.owner, member: MemberJSON.decode($0.bytes))
            }
            let step = plan.next(
                found: found, incarnation: wish.incarnation, wanted: wish.member, session: session.id,
                inTouchSince: session.inTouchSince, patience: session.timeout * 2, now: .now)
            switch step {
            case .stands, .gone:
                table.settled(wish)
                return nil
            case .wait(let until):
                return until
            case .taken(let other):
                taken(wish, by: other, &reported)
                return nil
            case .create, .write, .delete, .replaceLeftover:
                do throws(ZooKeeperError) {
                    try await act(step, wish, path)
                } catch  where error.isConflict {
                    // Somebody was faster, or the folder is missing; the next reading tells.
                    if error.isNoNode { try await connection.makeFolder(wish.key.role) }
                }
            }
        }
        return .now.advanced(by: .milliseconds(500))
    }

    private func act(_ step: EntryPlan.Step, _ wish: EntryTable.Wish, _ path: String) async throws(ZooKeeperError) {
        switch step {
        case .create:
            guard let bytes = bytes(of: wish) else { return }
            try await connection.handle.create(path, bytes, ephemeral: true)
        case .write(let version):
            guard let bytes = bytes(of: wish) else { return }
            try await connection.handle.set(path, bytes, version: version)
        // The version guards against a change, not against another entry in its place, which would begin at 0 as well.
        // That one would have to come between our reading and this line; its owner's watch then repairs it.
        case .replaceLeftover(let version):
            guard let bytes = bytes(of: wish) else { return }
            try await connection.handle.replace(path, version: version, bytes)
        case .delete(let version):
            try await connection.handle.delete(path, version: version)
        case .stands, .gone, .wait, .taken:
            break
        }
    }

    private func bytes(of wish: EntryTable.Wish) -> [UInt8]? {
        guard let member = wish.member else { return nil }
        do {
            return try MemberJSON.encode(member)
        } catch {
            _ = table.failed(wish, error)
            return nil
        }
    }

    private func taken(_ wish: EntryTable.Wish, by other: Incarnation?, _ reported: inout Set<String>) {
        let error =
            other.map { WindfireError.nodeIDTaken(by: $0) }
            ?? WindfireError(.nodeIDTaken, "node id \(wish.key.id) is held by an entry that is not a member's")
        guard !table.failed(wish, error) else { return }
        // It stood once: we were away for longer than our session, and somebody took the name. Keep trying, say so
        // once.
        guard reported.insert("taken/\(wish.key.id)/\(other?.description ?? "")").inserted else { return }
        logger.error(
            "node id is held by another live process; this one is not in the list",
            metadata: [
                Logger.Metadata.Key.node: "\(wish.key.id)",
                Logger.Metadata.Key.incarnation: "\(other?.description ?? "unknown")",
            ])
    }

    private func give(up wish: EntryTable.Wish, on error: ZooKeeperError, _ reported: inout Set<String>) {
        guard !error.isConnectionTrouble else { return }
        if error.isRefusal {
            let refusal = WindfireError(
                .registryUnavailable, "ZooKeeper does not let this process write its entry", cause: error)
            if table.failed(wish, refusal) { return }
        }
        guard reported.insert("\(error.operation)/\(error.code)").inserted else { return }
        logger.warning(
            "the registry refuses a call; trying on", metadata: [Logger.Metadata.Key.error: "\(error)"])
    }
}
