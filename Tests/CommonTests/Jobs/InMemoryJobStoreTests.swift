import Common
import TestKit
import Testing

@Suite struct InMemoryJobStoreTests {
    @Test(arguments: JobStoreContract.all)
    func contract(_ promise: JobStoreContract) async throws { try await promise.check(Harness()) }

    /// Everybody in one process has the same store.
    private struct Harness: JobStoreHarness {
        let clock = ShiftedClock()
        private let store: InMemoryJobStore

        init() {
            store = InMemoryJobStore(now: { [clock] in clock.now })
        }

        func makeStore() -> any JobStore { store }
    }
}
