import Common
import Logging
import MySQLJobStore
import TestKit
import Testing

/// Stores on one database of the suite's server, closed at the end. Each has its own connections, as another process
/// would.
actor StoreHarness: JobStoreHarness {
    nonisolated let clock = ShiftedClock()
    nonisolated let server: MariaDBServer
    nonisolated let database: String
    private var stores: [MySQLJobStore] = []

    init() async throws {
        server = try #require(OneMariaDBServer.current, "the suite has the trait .mariaDB")
        database = try await server.makeDatabase()
    }

    nonisolated func makeStore() async throws -> any JobStore { try await open() }

    nonisolated func open(_ change: (inout MySQLConfiguration) -> Void = { _ in }) async throws -> MySQLJobStore {
        var configuration = try MySQLConfiguration(url: server.url(database))
        configuration.clockShift = { [clock] in clock.shift }
        change(&configuration)
        let store = try await MySQLJobStore.open(configuration, logger: .silent)
        await keep(store)
        return store
    }

    private func keep(_ store: MySQLJobStore) { stores.append(store) }

    func close() async {
        for store in stores { await store.close() }
    }
}

func withStores<Result>(_ body: (StoreHarness) async throws -> Result) async throws -> Result {
    let harness = try await StoreHarness()
    do {
        let result = try await body(harness)
        await harness.close()
        return result
    } catch {
        await harness.close()
        throw error
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// That `body` is refused as the database's failure, in words that contain `part`.
func expectUnavailable(
    _ part: String, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    let error = await #expect(throws: WindfireError.self, sourceLocation: location) { try await body() }
    #expect(error?.code == .jobsUnavailable, sourceLocation: location)
    #expect(error?.message.contains(part) == true, "\(String(describing: error))", sourceLocation: location)
}
