import Common
import Logging
import TestKit
import Testing

@testable import ZooKeeperRegistry

/// Rows 2 to 6 of the fault matrix, at the registry's own level. Each test has a server of its own, to harm it. One
/// after the other: short sessions need a machine that answers.
@Suite("ZooKeeper in trouble", .serialized)
struct ZooKeeperFaultTests {
    let basePath = SharedZooKeeper.uniqueBasePath()
    let timeout = Duration.seconds(3)

    /// The entry as ZooKeeper has it, seen by a session of its own.
    func entry(_ name: String, _ servers: [String]) async throws -> (bytes: [UInt8], stat: EntryStat)? {
        try await Inspector.look(servers) { try await $0.get("\(basePath)/push/\(name)", watch: nil) }
    }

    /// Collects states from now on, in the background.
    final class States: Sendable {
        private let seen = LatestValue<[RegistryState]>([])
        private let task: Task<Void, Never>

        init(of registry: ZooKeeperRegistry) {
            let seen = seen
            let stream = registry.stateChanges()
            task = Task { for await state in stream { seen.set(seen.value + [state]) } }
        }

        deinit { task.cancel() }

        var all: [RegistryState] { seen.value }
    }

    @Test("The leader is killed during a registration: it completes, once, and nobody else is disturbed")
    func leaderKilled() async throws {
        let ensemble = try await ZooKeeperEnsemble.start()
        let first = RunningRegistry(ensemble.addresses, basePath, sessionTimeout: .seconds(10))
        let watcher = RunningRegistry(ensemble.addresses, basePath, sessionTimeout: .seconds(10))
        let early = (1...3).map { Member.sample("early\($0)") }
        for member in early { try await first.registry.register(member, as: .push) }
        try await eventually("all are seen") { watcher.registry.members(.push) == Members(early) }
        let created = try await entry("early1", ensemble.addresses)?.stat.created
        let leader = try await eventually("there is a leader") { await ensemble.leader() }

        // Many registrations are under way, in every phase of their steps, when the leader dies.
        let late = (1...40).map { Member.sample("late\($0)") }
        let registering = Task {
            try await withThrowingDiscardingTaskGroup { group in
                for member in late { group.addTask { try await first.registry.register(member, as: .push) } }
            }
        }
        try await eventually("the first ones stand", poll: .milliseconds(1)) {
            watcher.registry.members(.push).byID.count > early.count
        }
        await leader.kill()
        try await registering.value
        try await eventually(within: .seconds(30), "all are seen, each once") {
            watcher.registry.members(.push) == Members(early + late)
        }
        // The sessions went on with another server, so the entries are the old ones.
        let rest = ensemble.addresses.filter { $0 != leader.address }
        #expect(try await entry("early1", rest)?.stat.created == created)
        #expect(first.registry.state == .connected(afterExpiry: false))
        let owner = try await entry("early1", rest)?.stat.owner
        let names = try await Inspector.look(rest) { try await $0.children("\(basePath)/push", watch: nil) }
        #expect(names.sorted() == (early + late).map(\.id.text).sorted())
        #expect(try await entry("late40", rest)?.stat.owner == owner)
    }

    @Test("A short outage keeps the session: the entry is the same one")
    func shortOutage() async throws {
        let server = try await ZooKeeperServer.start()
        let running = RunningRegistry([server.address], basePath, sessionTimeout: .seconds(10))
        let states = States(of: running.registry)
        try await running.registry.register(.sample("n1"), as: .push)
        let before = try await entry("n1", [server.address])?.stat
        await server.kill()
        try await eventually("the loss is noticed") { running.registry.state == .disconnected }
        #expect(running.registry.members(.push) == Members([.sample("n1")]))
        try await server.restart()
        try await eventually("it is back") { running.registry.state.isConnected }
        let after = try await entry("n1", [server.address])?.stat
        #expect(after?.created == before?.created)
        #expect(after?.owner == before?.owner)
        #expect(!states.all.contains(.connected(afterExpiry: true)))
    }

    @Test("An update and a withdrawal made in an outage are kept, and come true after it")
    func keptWishes() async throws {
        let server = try await ZooKeeperServer.start()
        let running = RunningRegistry([server.address], basePath, sessionTimeout: .seconds(10))
        var member = Member.sample("n1")
        try await running.registry.register(member, as: .push)
        try await running.registry.register(.sample("r1"), as: .route)
        server.pause()
        try await eventually("the loss is noticed") { running.registry.state == .disconnected }
        member.state = .draining
        try await running.registry.update(member, as: .push)
        try await running.registry.withdraw(NodeID("r1"), as: .route)
        #expect(running.registry.members(.push) == Members([.sample("n1")]))
        server.resume()
        try await eventually("both came true") {
            running.registry.members(.push) == Members([member]) && running.registry.members(.route) == Members([])
        }
    }

    @Test("The session expires: registered again within two session timeouts, same incarnation, new session")
    func expiry() async throws {
        let server = try await ZooKeeperServer.start()
        let running = RunningRegistry([server.address], basePath, sessionTimeout: timeout)
        let states = States(of: running.registry)
        let member = Member.sample("n1")
        try await running.registry.register(member, as: .push)
        let before = try await entry("n1", [server.address])?.stat
        var resumed = ContinuousClock.now
        // When the server wakes up, it may read our return before it looks at its clock, and let the session live.
        for _ in 1...5 where !states.all.contains(.connected(afterExpiry: true)) {
            server.pause()
            // Longer than the session, shorter than our own deadline: the server itself says that it is over.
            try await eventually("the loss is noticed") { running.registry.state == .disconnected }
            try await never(for: timeout, "connected") { running.registry.state.isConnected }
            #expect(running.registry.members(.push) == Members([member]))
            server.resume()
            resumed = .now
            try await eventually("in touch again") { running.registry.state.isConnected }
        }
        try await eventually("another entry stands in its place", poll: .milliseconds(100)) {
            guard let now = try await entry("n1", [server.address]) else { return false }
            return now.stat.created != before?.created && now.stat.owner != before?.owner
                && MemberJSON.decode(now.bytes) == member
        }
        #expect(resumed.duration(to: .now) <= timeout * 2)
        try await eventually("everybody was told") { states.all.contains(.connected(afterExpiry: true)) }
        #expect(running.registry.members(.push) == Members([member]))
    }

    @Test("A total outage: the list stays, few lines are logged; afterwards registered again")
    func totalOutage() async throws {
        let server = try await ZooKeeperServer.start()
        let lines = LogLines()
        let running = RunningRegistry([server.address], basePath, sessionTimeout: timeout, logger: lines.logger)
        let states = States(of: running.registry)
        let members = (1...3).map { Member.sample("n\($0)") }
        for member in members { try await running.registry.register(member, as: .push) }
        try await eventually("all are seen") { running.registry.members(.push) == Members(members) }
        await server.kill()
        try await eventually("the loss is noticed") { running.registry.state == .disconnected }

        // Over our own deadline, 4/3 of 3 s, and well into the life of the handle that follows.
        let linesBefore = lines.all.count
        try await never(for: timeout * 3, "the list changes", poll: .milliseconds(250)) {
            running.registry.members(.push) != Members(members)
        }
        // In those 9 s: at most one line of the library's a second, and our own two or three.
        #expect(lines.all.count - linesBefore <= 13, "\(lines.all)")
        #expect(lines.all.filter { !$0.hasPrefix("debug") }.count <= 3, "\(lines.all)")

        let waiting = Task { try await running.registry.register(.sample("n4"), as: .push) }
        try await server.restart()
        try await waiting.value
        try await eventually("all are registered, by a new session") {
            running.registry.members(.push) == Members(members + [.sample("n4")])
        }
        #expect(states.all.contains(.connected(afterExpiry: true)))
        let owners = try await Inspector.look([server.address]) { handle in
            var owners: Set<Int64> = []
            for member in members {
                try await eventually("\(member.id) stands") {
                    try await handle.get("\(basePath)/push/\(member.id)", watch: nil) != nil
                }
                owners.insert(try await handle.get("\(basePath)/push/\(member.id)", watch: nil)?.stat.owner ?? 0)
            }
            return owners
        }
        #expect(owners.count == 1)
    }

    @Test("An outage costs next to no processor time")
    func idleInOutage() async {
        // In a process of its own, where nothing else runs that would be counted.
        await #expect(processExitsWith: .success) {
            let server = try await ZooKeeperServer.start()
            let running = RunningRegistry([server.address], "/windfire", sessionTimeout: .seconds(2))
            try await running.registry.register(.sample("n1"), as: .push)
            await server.kill()
            try await eventually("the loss is noticed") { running.registry.state == .disconnected }
            let (start, before) = (ContinuousClock.now, processorTime())
            // Over our own deadline, too: the handle is replaced on the way.
            try await never(for: .seconds(6), "connected", poll: .milliseconds(500)) {
                running.registry.state.isConnected
            }
            let share = (processorTime() - before) / start.duration(to: .now)
            #expect(share < 0.1, "of one core")
        }
    }

    @Test("The data is wiped: a new session, the folders made again, and the list was never empty")
    func wiped() async throws {
        let server = try await ZooKeeperServer.start()
        let one = RunningRegistry([server.address], basePath, sessionTimeout: timeout, holdBack: .seconds(10))
        let other = RunningRegistry([server.address], basePath, sessionTimeout: timeout, holdBack: .seconds(10))
        let members = (1...3).map { Member.sample("n\($0)") }
        for member in members { try await one.registry.register(member, as: .push) }
        try await eventually("all are seen") { other.registry.members(.push) == Members(members) }
        let lists = other.registry.changes(.push)
        let smallest = Task {
            var smallest = Int.max
            for await list in lists { smallest = min(smallest, list.byID.count) }
            return smallest
        }
        await server.kill()
        try await server.restart(wipe: true)
        try await eventually(within: .seconds(30), "all stand again") {
            try await Inspector.look([server.address]) { try await $0.children("\(basePath)/push", watch: nil) }
                .count == 3
        }
        try await eventually("a new session") { one.registry.state == .connected(afterExpiry: true) }
        #expect(other.registry.members(.push) == Members(members))
        smallest.cancel()
        #expect(await smallest.value == 3)
    }

    @Test("No server at the start: it waits, and registers when there is one")
    func lateServer() async throws {
        let server = try await ZooKeeperServer.start()
        await server.kill()
        let running = RunningRegistry([server.address], basePath, sessionTimeout: timeout)
        let registering = Task { try await running.registry.register(.sample("n1"), as: .push) }
        try await never(for: .milliseconds(500), "it says connected") { running.registry.state != .connecting }
        try await server.restart()
        try await registering.value
        #expect(running.registry.state == .connected(afterExpiry: false))
    }
}
