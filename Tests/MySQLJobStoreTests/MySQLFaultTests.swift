import Common
import TestKit
import Testing

@testable import MySQLJobStore

/// A server that is killed, frozen, full, or not there, one test after the other.
@Suite(.mariaDB("--innodb-file-per-table=0"), .serialized) struct MySQLFaultTests {
    @Test func killedAndStartedAgainTheServerHasEveryLeaseAndReceiptThatWasAnswered() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = try await store.runningJob(chunks: 4)
            let chunks = try await store.lease(.sample("w1"), max: 2, for: .seconds(60))
            #expect(try await store.complete(chunks[0].lease, .mixed(chunks[0])))
            let before = try await store.job(job.id)
            await harness.server.kill()
            await expectUnavailable("the job database") { _ = try await store.job(job.id) }
            await expectUnavailable("cannot be reached") {
                try await store.complete(chunks[1].lease, .delivered(chunks[1]))
            }
            try await harness.server.restart()
            try await eventually("the store is there again") { try await store.job(job.id) == before }
            #expect(try await store.lease(.sample("w2"), max: 10, for: .seconds(10)).map(\.lease.index) == [2, 3])
            #expect(try await store.complete(chunks[0].lease, .mixed(chunks[0])) == false)
            #expect(try await store.complete(chunks[1].lease, .delivered(chunks[1])))
        }
    }

    @Test func killedInTheMiddleOfTheWorkNothingIsCountedTwiceOrLost() async throws {
        try await withStores { harness in
            let stores = [try await harness.open(), try await harness.open(), try await harness.open()]
            let job = try await stores[0].runningJob(chunks: 300, clients: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, store) in stores.enumerated() {
                    group.addTask { try await workThroughFaults(on: store, job.id, as: "w\(number)", harness.clock) }
                }
                for done in [40, 150] {
                    try await eventually(within: .seconds(60), "\(done) chunks are done") {
                        try await stores[0].job(job.id).chunksDone >= done
                    }
                    await harness.server.kill()
                    try await harness.server.restart()
                }
                try await group.waitForAll()
            }
            let ended = try await stores[0].job(job.id)
            #expect(ended.state == .finished)
            #expect(ended.chunksLeased == 0)
            #expect(ended.counts == JobCounts(delivered: 600))
        }
    }

    @Test func aServerThatIsAwayAtTheStartIsWaitedForWithoutStoppingIt() async throws {
        try await withStores { harness in
            await harness.server.kill()
            let store = try await harness.open()
            await expectUnavailable("cannot be reached") { _ = try await store.jobs(after: nil, limit: 1) }
            try await harness.server.restart()
            try await eventually("the store is there") { try await store.jobs(after: nil, limit: 1) == [] }
            #expect(try await store.runningJob(chunks: 1).state == .running)
        }
    }

    @Test func aFrozenServerIsNamedWithinTheTimeoutAndForgottenWhenItThaws() async throws {
        try await withStores { harness in
            let store = try await harness.open { $0.timeout = .seconds(1) }
            let job = try await store.runningJob(chunks: 1)
            harness.server.pause()
            let start = ContinuousClock.now
            await expectUnavailable("does not answer in time") { _ = try await store.job(job.id) }
            #expect(ContinuousClock.now - start < .seconds(8))
            harness.server.resume()
            try await eventually("the store answers again") { try await store.job(job.id) == job }
            #expect(try await store.cancel(job.id).state == .cancelled)
        }
    }

    /// Leases, completes and goes on until the job has ended, as a worker that repeats what it does not know.
    private func workThroughFaults(
        on store: MySQLJobStore, _ job: JobID, as name: String, _ clock: ShiftedClock
    ) async throws {
        /// Repeated until it is answered.
        func insist<Value: Sendable>(
            _ what: String, _ call: @escaping @Sendable () async throws(WindfireError) -> Value
        ) async throws -> Value {
            try await eventually(within: .seconds(60), what, poll: .milliseconds(50)) { () -> Value? in
                do throws(WindfireError) {
                    return try await call()
                } catch {
                    #expect(error.code == .jobsUnavailable)
                    throw error
                }
            }
        }
        while true {
            let chunks = try await insist("chunks are leased") { () async throws(WindfireError) in
                try await store.lease(.sample(name), max: 5, for: .seconds(10))
            }
            for chunk in chunks {
                // False when the answer to a receipt that was taken got lost with the connection.
                _ = try await insist("a receipt is taken") { () async throws(WindfireError) in
                    try await store.complete(chunk.lease, .delivered(chunk))
                }
            }
            guard chunks.isEmpty else { continue }
            let state = try await insist("the job is read") { () async throws(WindfireError) in
                try await store.job(job).state
            }
            if state == .finished { return }
            // Leases whose answer got lost are nobody's until they run out.
            clock.advance(by: .seconds(11))
        }
    }
}
