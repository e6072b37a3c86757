import Common
import TestKit
import Testing

@testable import RedisStore

@Suite struct LocateBenchmarkTests {
    /// That it measures what it says and leaves nothing behind; how fast is not a test's business.
    @Test func itLocatesEveryClientAndCleansUp() async throws {
        let server = try await RedisServer()
        try await withStores(at: server.url) { harness in
            let store = try await harness.open()
            // More than one turn, so that several workers take part.
            let report = try await LocateBenchmark.run(on: store, clients: 20_000, rounds: 3)
            #expect(report.clients == 20_000)
            #expect(report.clientsPerSecond.count == 3)
            #expect(report.clientsPerSecond.allSatisfy { $0 > 0 })
            #expect(report.clientsPerSecond.contains(report.median))
            #expect(try await store.announcedIncarnations() == [])
            // The last epoch of each bucket is all that stays.
            #expect(
                try await server.cli("--scan", "--pattern", "wf:*").split(separator: "\n").allSatisfy {
                    $0.hasSuffix(":epoch")
                })
        }
    }
}
