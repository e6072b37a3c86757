import Common
import SQLiteJobStore
import TestKit
import Testing

@Suite struct SQLiteJobStoreTests {
    @Test(arguments: JobStoreContract.all)
    func contract(_ promise: JobStoreContract) async throws {
        try await withStores { try await promise.check($0) }
    }
}

/// Stores on one file, closed at the end. Each has its own connections, as another process would.
actor StoreHarness: JobStoreHarness {
    nonisolated let clock = ShiftedClock()
    nonisolated let folder: TemporaryFolder
    private var stores: [SQLiteJobStore] = []

    init() throws { folder = try TemporaryFolder("jobs") }

    nonisolated var path: String { folder.path("jobs.sqlite") }

    nonisolated func makeStore() async throws -> any JobStore { try await open() }

    nonisolated func open() async throws -> SQLiteJobStore {
        var configuration = SQLiteJobStore.Configuration(path: path)
        configuration.now = { [clock] in clock.now }
        let store = try SQLiteJobStore(configuration)
        await keep(store)
        return store
    }

    private func keep(_ store: SQLiteJobStore) { stores.append(store) }

    func close() async {
        for store in stores { await store.close() }
    }
}

func withStores<Result>(_ body: (StoreHarness) async throws -> Result) async throws -> Result {
    let harness = try StoreHarness()
    do {
        let result = try await body(harness)
        await harness.close()
        return result
    } catch {
        await harness.close()
        throw error
    }
}
