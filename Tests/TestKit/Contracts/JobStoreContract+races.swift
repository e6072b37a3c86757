import Common
import Testing

extension JobStoreContract {
    static let races: [JobStoreContract] = [
        JobStoreContract("1,000 chunks raced for by four holders that die are each counted once") { harness in
            let seed = UInt64.random(in: .min ... .max)
            let first = try await harness.makeStore()
            let jobs = [
                try await first.runningJob(1, chunks: 900, clients: 2), try await first.runningJob(2, chunks: 100),
            ]
            let accepted = try await withThrowingTaskGroup(of: [ChunkLease].self) { group in
                for worker in 0..<4 {
                    let store = try await harness.makeStore()
                    group.addTask {
                        try await work(on: store, as: worker, seed: seed &+ UInt64(worker), clock: harness.clock)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(accepted.count == 1_000, "seed \(seed)")
            #expect(Set(accepted.map { "\($0.job)/\($0.index)" }).count == 1_000, "seed \(seed)")
            for job in jobs {
                let ended = try await first.job(job.id)
                #expect(ended.state == .finished, "seed \(seed)")
                #expect(ended.chunksLeased == 0, "seed \(seed)")
                #expect(ended.chunksDone == ended.chunkCount, "seed \(seed)")
                #expect(ended.counts == JobCounts(delivered: ended.total), "seed \(seed)")
            }
        },

        JobStoreContract("a job cancelled in the middle of the race counts exactly the receipts that were taken") {
            harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 200)
            let seed = UInt64.random(in: .min ... .max)
            let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<3 {
                    let store = try await harness.makeStore()
                    group.addTask {
                        // Whoever has 20 first cancels; at most 60 of the 200 are done by then.
                        try await work(
                            on: store, as: worker, seed: seed &+ UInt64(worker), clock: harness.clock
                        ) { accepted in
                            if accepted == 20 { _ = try await store.cancel(job.id) }
                        }.count
                    }
                }
                return try await group.reduce(0, +)
            }
            harness.clock.advance(by: .seconds(11))
            #expect(try await store.lease(.sample("w9"), max: 1, for: .seconds(10)).isEmpty)
            let ended = try await store.job(job.id)
            #expect(ended.state == .cancelled, "seed \(seed)")
            #expect(ended.chunksDone == accepted, "seed \(seed)")
            #expect(ended.chunksLeased == 0, "seed \(seed)")
            #expect(ended.counts == JobCounts(delivered: accepted * 3), "seed \(seed)")
            #expect(try await store.allUndelivered(job.id, page: 1_000).count == ended.untried, "seed \(seed)")
        },

        JobStoreContract("stores that open an empty place at one moment all work") { harness in
            let stores = try await withThrowingTaskGroup(of: (any JobStore).self) { group in
                for _ in 0..<6 { group.addTask { try await harness.makeStore() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let job = try await stores[0].runningJob(chunks: 1)
            for store in stores { #expect(try await store.job(job.id) == job) }
        },
    ]

    /// Works until no job runs: leases a few chunks, and with each either completes it, gives it back, or dies holding
    /// it, in which case another life of the same worker goes on and the clock moves past the lease now and then.
    /// - Returns: the leases whose receipt was taken.
    private static func work(
        on store: any JobStore, as worker: Int, seed: UInt64, clock: ShiftedClock,
        onAccepted: (Int) async throws -> Void = { _ in }
    ) async throws -> [ChunkLease] {
        var random = SplitMix(seed: seed)
        var life: UInt64 = 1
        var accepted: [ChunkLease] = []
        while true {
            let chunks = try await store.lease(
                .sample("w\(worker)", life: life), max: Int(random.next() % 8) + 1, for: .seconds(10))
            for chunk in chunks {
                switch random.next() % 20 {
                case 0: life += 1
                case 1: try await store.giveBack([chunk.lease])
                default:
                    guard try await store.complete(chunk.lease, .delivered(chunk)) else { continue }
                    accepted.append(chunk.lease)
                    try await onAccepted(accepted.count)
                }
            }
            if chunks.isEmpty {
                let running = try await store.jobs(after: nil, limit: 10).contains { $0.state == .running }
                guard running else { return accepted }
            }
            if chunks.isEmpty || random.next() % 50 == 0 { clock.advance(by: .seconds(11)) }
        }
    }
}
