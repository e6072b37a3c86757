import Common
import TestKit
import Testing

@Suite struct InMemoryRouteStoreTests {
    /// All processes of a harness share one store: that is what "in memory" means.
    private actor Harness: RouteStoreHarness {
        private var store: InMemoryRouteStore?

        func makeStore(_ limits: Limits) -> any RouteStore {
            let store = store ?? InMemoryRouteStore(limits: limits)
            self.store = store
            return store
        }
    }

    @Test(arguments: RouteStoreContract.all)
    func contract(_ promise: RouteStoreContract) async throws { try await promise.check(Harness()) }

    @Test func epochsAreTheClocksMicrosecondsAndRiseWhenItStandsStill() async throws {
        let store = InMemoryRouteStore(now: { 1_700_000_000_000_000 })
        var epochs: [Epoch] = []
        for number in 0..<3 {
            let claim = RouteClaim(
                client: ClientID(unchecked: "a"), device: DeviceID(unchecked: "d\(number)"),
                incarnation: Incarnation(node: NodeID(unchecked: "n"), life: 1),
                session: SessionID(high: 0, low: UInt64(number)), generation: .first)
            guard case .granted(let epoch, [], _) = await store.claim(claim) else { continue }
            epochs.append(epoch)
        }
        #expect(epochs == [0, 1, 2].map { Epoch(1_700_000_000_000_000 + $0) })
    }
}
