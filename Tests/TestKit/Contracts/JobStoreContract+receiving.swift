import Common
import Testing

extension JobStoreContract {
    static let receiving: [JobStoreContract] = [
        JobStoreContract("a new job is receiving, and has all that was said of it") { harness in
            let (one, other) = (try await harness.makeStore(), try await harness.makeStore())
            let job = Job(
                id: .sample(), createdAt: 1_700_000_000_123, owner: "Zürich 'a' \"b\" \\ %_ 🌀", resendOf: .sample(7))
            try await one.create(job, receiver: .sample("r1"))
            #expect(try await other.job(job.id) == job)
            #expect(try await other.job(job.id).state == .receiving)
            await expectRefusal(.conflict) { _ = try await other.specification(of: job.id) }
        },

        JobStoreContract("sealed, a job has what is pushed and how; the first order counts") { harness in
            let (one, other) = (try await harness.makeStore(), try await harness.makeStore())
            let job = Job.sample()
            try await one.create(job, receiver: .sample("r1"))
            try await one.append(.sample(job.id, 0))
            let order = JobOrder(
                specification: Array(#"{"data":1}"#.utf8), isStored: true, ratePerSecond: 5_000,
                expiresAt: 1_800_000_000_000)
            _ = try await one.seal(job.id, order, total: 3, chunkCount: 1, skippedLines: 0)
            _ = try await one.seal(job.id, .sample, total: 3, chunkCount: 1, skippedLines: 0)
            let sealed = try await other.job(job.id)
            #expect(sealed.isStored)
            #expect(sealed.ratePerSecond == 5_000)
            #expect(sealed.expiresAt == 1_800_000_000_000)
            #expect(try await other.specification(of: job.id) == order.specification)
        },

        JobStoreContract("a job created again by the same receiver is one job; an id that is taken is refused") {
            harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.create(job, receiver: .sample("r1"))
            await expectRefusal(.conflict) {
                try await store.create(job, receiver: .sample("r2"))
            }
            #expect(try await store.jobs(after: nil, limit: 10) == [job])
        },

        JobStoreContract("what is pushed comes back byte for byte, up to its bound") { harness in
            let store = try await harness.makeStore()
            let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for (number, body) in [[], [0], Array(0...255), large].enumerated() {
                let job = Job.sample(UInt64(number))
                try await store.create(job, receiver: .sample("r1"))
                _ = try await store.seal(
                    job.id, JobOrder(specification: body), total: 0, chunkCount: 0, skippedLines: 0)
                #expect(try await store.specification(of: job.id) == body)
            }
            let job = Job.sample(9)
            try await store.create(job, receiver: .sample("r1"))
            let tooLarge = [UInt8](repeating: 0, count: JobLimits.specificationBytesMax + 1)
            await expectRefusal(.payloadTooLarge) {
                _ = try await store.seal(
                    job.id, JobOrder(specification: tooLarge), total: 0, chunkCount: 0, skippedLines: 0)
            }
            #expect(try await store.job(job.id).state == .receiving)
        },

        JobStoreContract("ids are counted as they come, and a chunk that is appended again counts once") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            for index in [0, 0, 1, 1, 0, 2] { try await store.append(.sample(job.id, index)) }
            let received = try await store.job(job.id)
            #expect(received.total == 9)
            #expect(received.chunkCount == 3)
            #expect(received.chunksPending == 3)
            #expect(received.untried == 9)
        },

        JobStoreContract("other ids in a chunk that is there, and a chunk that leaves a gap, are refused") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.append(.sample(job.id, 0))
            await expectRefusal(.conflict) { try await store.append(.sample(job.id, 0, clients: 4)) }
            await expectRefusal(.conflict) { try await store.append(.sample(job.id, 2)) }
            #expect(try await store.job(job.id).total == 3)
        },

        JobStoreContract("ids of every kind come back as they were, a full chunk of the longest too") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            let odd = ["a", "'", "\"; DROP TABLE jobs --", "\\", "%_", "ß", "🌀", " ", "NULL", "e\u{301}", "é"]
                .map { ClientID(unchecked: $0) }
            let long = (0..<JobLimits.chunkClientsMax).map { number in
                ClientID(unchecked: String(repeating: "x", count: 120) + String(10_000_000 + number))
            }
            try await store.append(JobChunk(job: job.id, index: 0, clients: odd))
            try await store.append(JobChunk(job: job.id, index: 1, clients: long))
            _ = try await store.seal(job.id, .sample, total: odd.count + long.count, chunkCount: 2, skippedLines: 0)
            let chunks = try await store.lease(.sample("w1"), max: 10, for: .seconds(10))
            #expect(chunks.map(\.clients) == [odd, long])
        },

        JobStoreContract("nobody is served before the list is complete") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.append(.sample(job.id, 0))
            #expect(try await store.lease(.sample("w1"), max: 10, for: .seconds(10)).isEmpty)
            let sealed = try await store.seal(job.id, .sample, total: 3, chunkCount: 1, skippedLines: 4)
            #expect(sealed.state == .running)
            #expect(sealed.skippedLines == 4)
            #expect(try await store.job(job.id) == sealed)
            #expect(try await store.lease(.sample("w1"), max: 10, for: .seconds(10)).count == 1)
        },

        JobStoreContract("sealing again is fine, with other numbers than appended is refused") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.append(.sample(job.id, 0))
            await expectRefusal(.conflict) {
                _ = try await store.seal(job.id, .sample, total: 4, chunkCount: 1, skippedLines: 0)
            }
            await expectRefusal(.conflict) {
                _ = try await store.seal(job.id, .sample, total: 3, chunkCount: 2, skippedLines: 0)
            }
            let sealed = try await store.seal(job.id, .sample, total: 3, chunkCount: 1, skippedLines: 0)
            #expect(try await store.seal(job.id, .sample, total: 3, chunkCount: 1, skippedLines: 0) == sealed)
            await expectRefusal(.conflict) { try await store.append(.sample(job.id, 1)) }
            await expectRefusal(.conflict) { try await store.touch(job.id) }
        },

        JobStoreContract("an empty list is finished at once") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            let sealed = try await store.seal(job.id, .sample, total: 0, chunkCount: 0, skippedLines: 2)
            #expect(sealed.state == .finished)
            #expect(sealed.finishedAt != nil)
            #expect(try await store.undelivered(job.id, from: .start, limit: 10) == .init(rows: [], next: nil))
        },

        JobStoreContract("an abandoned job failed with its reason, and its chunks are never leased") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.append(.sample(job.id, 0))
            #expect(try await store.abandon(job.id, reason: "the body was cut off after 3 ids"))
            let failed = try await store.job(job.id)
            #expect(failed.state == .failed(reason: "the body was cut off after 3 ids"))
            #expect(failed.finishedAt != nil)
            #expect(failed.total == 3)
            #expect(try await store.lease(.sample("w1"), max: 10, for: .seconds(10)).isEmpty)
            await expectRefusal(.conflict) { try await store.append(.sample(job.id, 1)) }
            await expectRefusal(.conflict) {
                _ = try await store.seal(job.id, .sample, total: 3, chunkCount: 1, skippedLines: 0)
            }
            #expect(try await store.abandon(job.id, reason: "again") == false)
            #expect(try await store.job(job.id) == failed)
        },

        JobStoreContract("a reason that is too long is cut between characters") { harness in
            let store = try await harness.makeStore()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            try await store.abandon(job.id, reason: "x" + String(repeating: "ü", count: 10_000))
            let kept = "x" + String(repeating: "ü", count: (JobLimits.reasonBytesMax - 1) / 2)
            #expect(try await store.job(job.id).state == .failed(reason: kept))
        },

        JobStoreContract("a job that nobody knows is not found, whatever is asked") { harness in
            let store = try await harness.makeStore()
            let id = JobID.sample()
            await expectRefusal(.notFound) { _ = try await store.job(id) }
            await expectRefusal(.notFound) { _ = try await store.specification(of: id) }
            await expectRefusal(.notFound) { try await store.append(.sample(id, 0)) }
            await expectRefusal(.notFound) { try await store.touch(id) }
            await expectRefusal(.notFound) {
                _ = try await store.seal(id, .sample, total: 0, chunkCount: 0, skippedLines: 0)
            }
            await expectRefusal(.notFound) { try await store.abandon(id, reason: "") }
            await expectRefusal(.notFound) { try await store.cancel(id) }
            await expectRefusal(.notFound) { _ = try await store.undelivered(id, from: .start, limit: 1) }
            await expectRefusal(.notFound) { try await store.recordAcknowledged(id, count: 1) }
            let lease = ChunkLease(job: id, index: 0, holder: .sample("w1"), attempt: 1, expiresAt: .max)
            #expect(try await store.renew([lease], for: .seconds(1)).isEmpty)
            #expect(try await store.complete(lease, ChunkReceipt(counts: JobCounts(), undelivered: [])) == false)
            try await store.giveBack([lease])
        },
    ]
}
