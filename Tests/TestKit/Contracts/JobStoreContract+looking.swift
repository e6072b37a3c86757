import Common
import Testing

extension JobStoreContract {
    static let looking: [JobStoreContract] = [
        JobStoreContract("jobs are listed newest first, page by page") { harness in
            let store = try await harness.makeStore()
            var ids: [JobID] = []
            for number in [3, 1, 5, 2, 4] {
                ids.append(try await store.runningJob(UInt64(number), chunks: 0).id)
            }
            let newestFirst = [2, 4, 0, 3, 1].map { ids[$0] }
            #expect(try await store.jobs(after: nil, limit: 10).map(\.id) == newestFirst)
            var listed: [JobID] = []
            while true {
                let page = try await store.jobs(after: listed.last, limit: 2)
                #expect(page.count <= 2)
                guard !page.isEmpty else { break }
                listed += page.map(\.id)
            }
            #expect(listed == newestFirst)
        },

        JobStoreContract("the undelivered are named in the order of the list, in pages of any size") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 4, clients: 5)
            let chunks = try await store.lease(.sample("w1"), max: 4, for: .seconds(10))
            let receipts: [[Undelivered]] = [
                [
                    Undelivered(client: chunks[0].clients[4], reason: .stored),
                    Undelivered(client: chunks[0].clients[1], reason: .failed("node_unavailable")),
                ],
                [],
                chunks[2].clients.map { Undelivered(client: $0, reason: .offline) },
                [Undelivered(client: chunks[3].clients[0], reason: .offline)],
            ]
            for index in [2, 0, 3, 1] {
                let offline = receipts[index].count { $0.reason == .offline || $0.reason == .stored }
                let counts = JobCounts(
                    delivered: 5 - receipts[index].count, offline: offline,
                    stored: receipts[index].count { $0.reason == .stored }, failed: receipts[index].count - offline)
                #expect(
                    try await store.complete(
                        chunks[index].lease, ChunkReceipt(counts: counts, undelivered: receipts[index])))
            }
            for page in 1...9 {
                #expect(
                    try await store.allUndelivered(job.id, page: page) == receipts.flatMap { $0 }, "page of \(page)")
            }
            let ended = try await store.job(job.id)
            #expect(ended.counts == JobCounts(delivered: 12, offline: 7, stored: 1, failed: 1))
        },

        JobStoreContract("of a cancelled job, those never tried are named too; of a running one, they are not yet") {
            harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 3)
            let chunks = try await store.lease(.sample("w1"), max: 2, for: .seconds(10))
            #expect(try await store.complete(chunks[1].lease, .mixed(chunks[1])))
            let known = [
                Undelivered(client: ClientID(unchecked: "c1-0"), reason: .offline),
                Undelivered(client: ClientID(unchecked: "c1-1"), reason: .failed("node_unavailable")),
            ]
            #expect(try await store.allUndelivered(job.id, page: 100) == known)
            _ = try await store.cancel(job.id)
            try await store.giveBack([chunks[0].lease])
            func untried(_ chunk: Int) -> [Undelivered] {
                (0..<3).map { Undelivered(client: ClientID(unchecked: "c\(chunk)-\($0)"), reason: .notTried) }
            }
            #expect(try await store.allUndelivered(job.id, page: 2) == untried(0) + known + untried(2))
        },

        JobStoreContract("acknowledgements only rise") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 1)
            for (count, expected) in [(5, 5), (3, 5), (5, 5), (9, 9), (0, 9)] {
                try await store.recordAcknowledged(job.id, count: count)
                #expect(try await store.job(job.id).counts.acknowledged == expected)
            }
            let chunk = try await store.leaseOne(.sample("w1"))
            #expect(try await store.complete(chunk.lease, .delivered(chunk)))
            #expect(try await store.job(job.id).counts == JobCounts(delivered: 3, acknowledged: 9))
        },

        JobStoreContract("jobs that ended long ago are swept away whole; young and running ones stay") { harness in
            let store = try await harness.makeStore()
            let old = try await store.runningJob(1, chunks: 2)
            for _ in 0..<2 {
                let chunk = try await store.leaseOne(.sample("w1"))
                #expect(try await store.complete(chunk.lease, .mixed(chunk)))
            }
            let running = try await store.runningJob(2, chunks: 2)
            let worked = try await store.leaseOne(.sample("w1"))
            harness.clock.advance(by: .seconds(7 * 86_400))
            let young = try await store.runningJob(3, chunks: 0)
            let swept = try await store.sweepAll(finishedBefore: harness.clock.now - 86_400_000)
            #expect(swept == JobSweep(jobsDeleted: 1, chunksDeleted: 2))
            #expect(try await store.jobs(after: nil, limit: 10).map(\.id) == [young.id, running.id])
            await expectRefusal(.notFound) { _ = try await store.specification(of: old.id) }
            // The id is free again, and nothing of the old one is left.
            try await store.create(old, receiver: .sample("r2"))
            try await store.append(.sample(old.id, 0))
            #expect(try await store.job(old.id).total == old.total / 2)
            #expect(try await store.complete(worked.lease, .delivered(worked)))
        },

        JobStoreContract("a job with more chunks than one sweep deletes is gone after several") { harness in
            let store = try await harness.makeStore()
            let chunks = JobLimits.chunksPerSweepMax * 2 + 10
            let job = try await store.runningJob(chunks: chunks, clients: 1)
            _ = try await store.cancel(job.id)
            let swept = try await store.sweepAll(finishedBefore: .max)
            #expect(swept == JobSweep(jobsDeleted: 1, chunksDeleted: chunks))
            await expectRefusal(.notFound) { _ = try await store.job(job.id) }
        },

        JobStoreContract("a job whose receiver fell silent fails; one that is touched goes on") { harness in
            let store = try await harness.makeStore()
            let (silent, touched) = (Job.sample(1), Job.sample(2))
            for job in [silent, touched] {
                try await store.create(job, receiver: .sample("r1"))
                try await store.append(.sample(job.id, 0))
            }
            harness.clock.advance(by: .seconds(40))
            try await store.touch(touched.id)
            #expect(try await store.sweep(finishedBefore: 0, silence: .seconds(60)) == JobSweep())
            harness.clock.advance(by: .seconds(30))
            #expect(try await store.sweep(finishedBefore: 0, silence: .seconds(60)) == JobSweep(jobsFailed: 1))
            #expect(try await store.job(silent.id).state == .failed(reason: JobSweep.bodyEndedEarly))
            await expectRefusal(.conflict) { try await store.append(.sample(silent.id, 1)) }
            try await store.append(.sample(touched.id, 1))
        },
    ]
}

extension JobStore {
    /// Sweeps until nothing is left to do, and gives the sums.
    fileprivate func sweepAll(finishedBefore: UInt64) async throws -> JobSweep {
        var all = JobSweep()
        repeat {
            let sweep = try await sweep(finishedBefore: finishedBefore, silence: .seconds(60))
            all.jobsDeleted += sweep.jobsDeleted
            all.chunksDeleted += sweep.chunksDeleted
            all.jobsFailed += sweep.jobsFailed
            all.hasMore = sweep.hasMore
        } while all.hasMore
        return all
    }
}
