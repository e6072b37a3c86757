import Common
import Logging
import Synchronization

/// The registry on a ZooKeeper ensemble: `<base>/push/<NodeID>` and `<base>/route/<NodeID>`, ephemeral, a member's JSON
/// each.
///
///     let registry = ZooKeeperRegistry(.init(address: try ZooKeeperAddress("zk://h1,h2,h3/windfire")), logger: logger)
///     // `run()` beside the other services; `register` before or after it has started.
///
/// How the work is divided: `SessionStateMachine` decides about sessions, `ZooKeeperHandle` holds one, and while it
/// lasts an `EntryKeeper` keeps our entries standing and a `ListReader` per role reads the lists. What outlives
/// sessions (wishes, lists, states) is here.
///
/// A node id that another process holds is not refused at once: a crashed predecessor's entry stands until its session
/// runs out. `register` waits twice the session timeout for it, in touch without a break, then throws `node_id_taken`.
package final class ZooKeeperRegistry: Registry {
    private let configuration: Configuration
    private let logger: Logger
    private let table = EntryTable()
    private let lists: [Member.Role: MemberList]
    // Room for some values: an expiry that is followed by other news at once must not be skipped.
    private let latestState = LatestValue<RegistryState>(.connecting, buffer: 64)
    private let isRunning = Mutex(false)

    package init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        lists = Dictionary(
            uniqueKeysWithValues: Member.Role.allCases.map {
                ($0, MemberList($0, holdBack: configuration.holdBack))
            })
    }

    // MARK: Entries

    package func register(_ member: Member, as role: Member.Role) async throws(WindfireError) {
        let revision = try table.enter(member, as: role)
        let key = EntryTable.Key(role: role, id: member.id)
        do {
            try await table.wait(for: revision, of: key, .untilSettled)
        } catch {
            // Whoever was told that it failed does not want it to appear later.
            if !table.hasStood(key) { _ = table.remove(key) }
            throw error
        }
    }

    package func update(_ member: Member, as role: Member.Role) async throws(WindfireError) {
        let revision = try table.replace(member, as: role)
        try await table.wait(for: revision, of: EntryTable.Key(role: role, id: member.id), .whileConnected)
    }

    package func withdraw(_ id: NodeID, as role: Member.Role) async throws(WindfireError) {
        let key = EntryTable.Key(role: role, id: id)
        guard let revision = table.remove(key) else { return }
        try await table.wait(for: revision, of: key, .whileConnected)
    }

    // MARK: Reading

    package func members(_ role: Member.Role) -> Members { lists[role]?.latest.value ?? .unknown }

    package func changes(_ role: Member.Role) -> AsyncStream<Members> {
        lists[role]?.latest.stream() ?? AsyncStream { $0.finish() }
    }

    package var state: RegistryState { latestState.value }

    package func stateChanges() -> AsyncStream<RegistryState> { latestState.stream() }

    // MARK: Life

    /// Holds sessions, one after the other, until cancelled. The last one is closed in order, which removes its entries
    /// at once; when the ensemble is away at that moment, they go when the session runs out.
    package func run() async throws {
        let wasRunning = isRunning.withLock { isRunning in
            defer { isRunning = true }
            return isRunning
        }
        guard !wasRunning else { throw WindfireError(.notReady, "the registry is running already") }
        var machine = SessionStateMachine()
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(10))
        while !Task.isCancelled {
            await holdSession(&machine, &backoff)
            if Task.isCancelled { break }
            try? await Task.sleep(for: backoff.next(random: .random(in: 0...1)))
        }
        machine.closed()
        lostTouch()
        table.shutDown()
        isRunning.withLock { $0 = false }
    }

    private enum Input: Sendable {
        case event(SessionEvent)
        case deadline
    }

    /// One handle, from its opening until it has to be replaced or the task is cancelled.
    private func holdSession(_ machine: inout SessionStateMachine, _ backoff: inout Backoff) async {
        // Each event stands for all before it, and an expiry is the last one of a handle: dropping old ones is safe.
        let (inputs, feed) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .bufferingNewest(64))
        let handle: ZooKeeperHandle
        do throws(ZooKeeperError) {
            handle = try await ZooKeeperHandle.open(
                configuration.address, sessionTimeout: configuration.sessionTimeout,
                watches: [table.changed] + lists.values.map(\.changed), logger: logger
            ) { feed.yield(.event($0)) }
        } catch {
            // The first time, and about once a minute when the pauses have grown.
            if backoff.tries % 16 == 0 {
                logger.warning(
                    "the registry cannot be addressed; trying again", metadata: [Logger.Metadata.Key.error: "\(error)"])
            }
            return
        }
        machine.opened()
        let connection = Connection(handle: handle, address: configuration.address)
        await withDiscardingTaskGroup { group in
            let keeper = EntryKeeper(
                connection: connection, table: table, selfCheck: configuration.selfCheck, logger: logger)
            group.addTask { await keeper.run() }
            for list in lists.values {
                let reader = ListReader(
                    connection: connection, list: list, reread: configuration.reread, logger: logger)
                group.addTask { await reader.run() }
            }
            await follow(inputs, feed, connection, &machine, &backoff)
            group.cancelAll()
            // Before the group is awaited: its outstanding calls end with the handle.
            connection.session.set(nil)
            await handle.close()
        }
    }

    /// Feeds the state machine and does what it says, until the handle has had its time.
    private func follow(
        _ inputs: AsyncStream<Input>, _ feed: AsyncStream<Input>.Continuation, _ connection: Connection,
        _ machine: inout SessionStateMachine, _ backoff: inout Backoff
    ) async {
        var timer: Task<Void, any Error>?
        var contact: ContinuousClock.Instant?
        defer {
            timer?.cancel()
            // A session that lasted shows that all was well; after one that ended at once the next pause is longer.
            if let contact, contact.duration(to: .now) > configuration.sessionTimeout { backoff.reset() }
        }
        for await input in inputs {
            switch input {
            case .event(let event):
                switch machine.received(event, now: .now) {
                case .none:
                    break
                case .announce(let state, let session):
                    timer?.cancel()
                    contact = contact ?? .now
                    foundTouch(state, connection, session: session, event)
                case .announceLoss(let deadline):
                    connection.session.set(nil)
                    lostTouch()
                    timer?.cancel()
                    timer = Task {
                        try await Task.sleep(until: deadline, clock: .continuous)
                        feed.yield(.deadline)
                    }
                case .replaceHandle(let reason):
                    replace(because: reason)
                    return
                }
            case .deadline:
                switch machine.deadlineReached(now: .now) {
                case .none:
                    break
                case .replaceHandle(let reason):
                    replace(because: reason)
                    return
                }
            }
        }
    }

    private func foundTouch(
        _ state: RegistryState, _ connection: Connection, session: Int64, _ event: SessionEvent
    ) {
        guard case .connected(_, let timeout) = event else { return }
        if latestState.value == .disconnected {
            logger.notice("the registry is back", metadata: [Logger.Metadata.Key.reason: "\(state)"])
        }
        connection.session.set(Connection.Session(id: session, timeout: timeout, inTouchSince: .now))
        table.connected()
        for list in lists.values { list.changed.fire() }
        latestState.set(state)
    }

    private func lostTouch() {
        guard latestState.value.isConnected else { return }
        if !Task.isCancelled {
            logger.warning("the registry is out of touch; going on with the last known list")
        }
        latestState.set(.disconnected)
        table.disconnected()
        for list in lists.values { list.lostSight() }
    }

    private func replace(because reason: SessionStateMachine.ReplaceReason) {
        lostTouch()
        logger.warning(
            "the registry session is over; starting a new one",
            metadata: [Logger.Metadata.Key.reason: "\(reason.rawValue)"])
    }
}
