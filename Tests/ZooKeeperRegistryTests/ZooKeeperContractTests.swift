import Common
import Logging
import Synchronization
import TestKit
import Testing

@testable import ZooKeeperRegistry

@Suite("Registry on a real ZooKeeper")
struct ZooKeeperContractTests {
    final class Harness: RegistryHarness {
        private let address: String
        private let holdBack: Duration
        private let basePath = SharedZooKeeper.uniqueBasePath()
        private let running = Mutex<[RunningRegistry]>([])

        init(holdBack: Duration) async throws {
            address = try await SharedZooKeeper.server().address
            self.holdBack = holdBack
        }

        func makeRegistry() -> any Registry {
            let one = RunningRegistry([address], basePath, holdBack: holdBack)
            running.withLock { $0.append(one) }
            return one.registry
        }
    }

    @Test("Contract", arguments: RegistryContract.all)
    func contract(_ promise: RegistryContract) async throws {
        try await promise.check(Harness(holdBack: promise.holdBack))
    }

    @Test("Registered before it runs, it is entered when it does; stopped, its entries are gone at once")
    func beforeAndAfter() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let other = RunningRegistry([address], basePath)
        let early = ZooKeeperRegistry(.init(hosts: [address], basePath: basePath), logger: LogLines().logger)
        let member = Member.sample("n1")
        let registering = Task { try await early.register(member, as: .push) }
        #expect(early.state == .connecting)
        let running = Task { try await early.run() }
        try await registering.value
        try await eventually("it is seen") { other.registry.members(.push) == Members([member]) }
        let start = ContinuousClock.now
        running.cancel()
        try await running.value
        try await eventually("it is gone") { other.registry.members(.push) == Members([]) }
        // Not by running out, which takes the 10 s of its session.
        #expect(start.duration(to: .now) < .seconds(8))
        #expect(early.state == .disconnected)
    }

    @Test("A crashed predecessor's entry is waited for, not taken for a living process")
    func predecessor() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let path = "\(basePath)/push/n1"
        try await Inspector.look([address]) { handle in
            for folder in [basePath, "\(basePath)/push"] { try await handle.create(folder, [], ephemeral: false) }
            try await handle.create(path, MemberJSON.encode(.sample("n1", life: 1)), ephemeral: true)
            let successor = RunningRegistry([address], basePath)
            let registering = Task { try await successor.registry.register(.sample("n1", life: 2), as: .push) }
            try await eventually("the predecessor is seen") {
                successor.registry.members(.push) == Members([.sample("n1", life: 1)])
            }
            try await handle.delete(path, version: -1)
            try await registering.value
            #expect(
                try await handle.get(path, watch: nil).map { MemberJSON.decode($0.bytes) } == .sample("n1", life: 2))
        }
    }

    @Test("What an earlier session of the same incarnation left is replaced at once, without a gap for readers")
    func leftover() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let path = "\(basePath)/push/n1"
        let member = Member.sample("n1")
        let reader = RunningRegistry([address], basePath, holdBack: .zero)
        try await Inspector.look([address]) { handle in
            let place = ZooKeeperAddress(servers: [address], basePath: basePath)
            try await Connection(handle: handle, address: place).makeFolder(.push)
            // The inspector's session plays the earlier one.
            try await handle.create(path, MemberJSON.encode(member), ephemeral: true)
            let before = try await handle.get(path, watch: nil)
            try await eventually("it is seen") { reader.registry.members(.push) == Members([member]) }
            let lists = reader.registry.changes(.push)
            let seen = Task {
                var seen: Set<Members> = []
                for await list in lists { seen.insert(list) }
                return seen
            }
            let running = RunningRegistry([address], basePath)
            try await running.registry.register(member, as: .push)
            let after = try await handle.get(path, watch: nil)
            #expect(after?.stat.owner != before?.stat.owner)
            #expect(after.map { MemberJSON.decode($0.bytes) } == member)
            try await running.registry.update(.sample("n1", weight: 5), as: .push)
            try await eventually("the update is seen") {
                reader.registry.members(.push) == Members([.sample("n1", weight: 5)])
            }
            seen.cancel()
            #expect(await seen.value.subtracting([Members([member]), Members([.sample("n1", weight: 5)])]).isEmpty)
        }
    }

    @Test("An entry that somebody deletes, or writes over, is put right at once")
    func repaired() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let path = "\(basePath)/push/n1"
        let running = RunningRegistry([address], basePath)
        let member = Member.sample("n1")
        try await running.registry.register(member, as: .push)
        try await Inspector.look([address]) { handle in
            try await handle.set(path, Array("{}".utf8), version: -1)
            try await eventually("it says what it should again") {
                try await handle.get(path, watch: nil).map { MemberJSON.decode($0.bytes) } == member
            }
            try await handle.delete(path, version: -1)
            try await eventually("it is there again") { try await handle.get(path, watch: nil) != nil }
        }
    }

    @Test("What is no member's entry is left out of the list, and does not hide the others")
    func garbage() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let running = RunningRegistry([address], basePath)
        let member = Member.sample("n1")
        try await running.registry.register(member, as: .push)
        try await Inspector.look([address]) { handle in
            try await handle.create("\(basePath)/push/broken", Array("{\"incarnation\":7".utf8), ephemeral: true)
            try await handle.create("\(basePath)/push/empty", [], ephemeral: true)
            try await handle.create(
                "\(basePath)/push/alias", MemberJSON.encode(.sample("other")), ephemeral: true)
            try await handle.create("\(basePath)/push/n2", MemberJSON.encode(.sample("n2")), ephemeral: true)
            try await eventually("the good ones are seen") {
                running.registry.members(.push) == Members([member, .sample("n2")])
            }
        }
    }

    @Test("With credentials, entries are for their holders alone")
    func credentials() async throws {
        let address = try await SharedZooKeeper.server().address
        let basePath = SharedZooKeeper.uniqueBasePath()
        let holder = ZooKeeperAddress.Credentials(user: "windfire", password: "s3cret:/@")
        let one = RunningRegistry([address], basePath, credentials: holder)
        let two = RunningRegistry([address], basePath, credentials: holder)
        try await one.registry.register(.sample("n1"), as: .push)
        try await eventually("who has them sees it") { two.registry.members(.push) == Members([.sample("n1")]) }
        try await Inspector.look([address]) { handle in
            _ = await #expect(throws: ZooKeeperError.self) { try await handle.get("\(basePath)/push/n1", watch: nil) }
        }
        let stranger = RunningRegistry(
            [address], basePath, credentials: .init(user: "windfire", password: "wrong"))
        let error = await #expect(throws: WindfireError.self) {
            try await stranger.registry.register(.sample("n2"), as: .push)
        }
        #expect(error?.code == .registryUnavailable)
        #expect(stranger.registry.members(.push) == .unknown)
    }

    @Test("A host that does not exist is tried again, quietly, and register waits until told to stop")
    func noSuchHost() async throws {
        let lines = LogLines()
        // A label of 64 bytes is no name (RFC 1035, section 2.3.4): no name server is asked.
        let noName = String(repeating: "x", count: 64) + ".invalid"
        let running = RunningRegistry(["\(noName):2181"], "/windfire", logger: lines.logger)
        let registering = Task { try await running.registry.register(.sample("n1"), as: .push) }
        try await eventually("it says so") { lines.all.contains { $0.contains("cannot be addressed") } }
        registering.cancel()
        let error = await #expect(throws: WindfireError.self) { try await registering.value }
        #expect(error?.code == .notReady)
        #expect(running.registry.state == .connecting)
    }
}
