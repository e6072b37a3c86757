import Common
import TestKit
import Testing

@Suite("Registry in memory")
struct InMemoryRegistryTests {
    struct Harness: RegistryHarness {
        let registry: InMemoryRegistry
        init(holdBack: Duration) { registry = InMemoryRegistry(holdBack: holdBack) }
        // One instance is all processes at once.
        func makeRegistry() -> any Registry { registry }
    }

    @Test("Contract", arguments: RegistryContract.all)
    func contract(_ promise: RegistryContract) async throws {
        try await promise.check(Harness(holdBack: promise.holdBack))
    }

    @Test("While it is away the list stays and register waits; afterwards all comes out")
    func away() async throws {
        let registry = InMemoryRegistry()
        let first = Member.sample("n1")
        try await registry.register(first, as: .push)
        registry.disconnect()
        #expect(registry.state == .disconnected)
        let second = Member.sample("n2")
        async let registered: Void = registry.register(second, as: .push)
        var changed = first
        changed.weight = 7
        try await registry.update(changed, as: .push)
        #expect(registry.members(.push) == Members([first]))
        registry.reconnect(afterExpiry: true)
        try await registered
        #expect(registry.state == .connected(afterExpiry: true))
        #expect(registry.members(.push) == Members([changed, second]))
    }

    @Test("A register that is cancelled while it waits says not_ready")
    func cancelled() async throws {
        let registry = InMemoryRegistry()
        registry.disconnect()
        let waiting = Task { try await registry.register(.sample("n1"), as: .push) }
        waiting.cancel()
        let error = await #expect(throws: WindfireError.self) { try await waiting.value }
        #expect(error?.code == .notReady)
    }
}
