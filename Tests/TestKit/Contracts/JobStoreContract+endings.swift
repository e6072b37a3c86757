import Common
import Testing

extension JobStoreContract {
    static let endings: [JobStoreContract] = [
        JobStoreContract("the last receipt ends the job, and the numbers add up") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 3)
            for done in 1...3 {
                let chunk = try await store.leaseOne(.sample("w1"))
                #expect(try await store.complete(chunk.lease, .mixed(chunk)))
                let now = try await store.job(job.id)
                #expect(now.chunksDone == done)
                #expect(now.counts == JobCounts(delivered: done, offline: done, failed: done))
                #expect(now.untried == 9 - 3 * done)
                #expect(now.state == (done == 3 ? .finished : .running))
                #expect((now.finishedAt != nil) == (done == 3))
            }
            #expect(try await store.lease(.sample("w1"), max: 10, for: .seconds(10)).isEmpty)
        },

        JobStoreContract("a receipt that comes twice counts once") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 2)
            let chunk = try await store.leaseOne(.sample("w1"))
            #expect(try await store.complete(chunk.lease, .delivered(chunk)))
            #expect(try await store.complete(chunk.lease, .delivered(chunk)) == false)
            #expect(try await store.job(job.id).counts.delivered == 3)
            #expect(try await store.job(job.id).chunksDone == 1)
        },

        JobStoreContract("cancelled, a job begins no further chunk; those worked on complete and count") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 4)
            let chunks = try await store.lease(.sample("w1"), max: 2, for: .seconds(10))
            #expect(try await store.cancel(job.id).state == .cancelling)
            #expect(try await store.cancel(job.id).state == .cancelling)
            #expect(try await store.lease(.sample("w2"), max: 10, for: .seconds(10)).isEmpty)
            #expect(try await store.renew(chunks.map(\.lease), for: .seconds(10)).count == 2)
            #expect(try await store.complete(chunks[0].lease, .delivered(chunks[0])))
            #expect(try await store.job(job.id).state == .cancelling)
            #expect(try await store.complete(chunks[1].lease, .mixed(chunks[1])))
            let ended = try await store.job(job.id)
            #expect(ended.state == .cancelled)
            #expect(ended.finishedAt != nil)
            #expect(ended.counts == JobCounts(delivered: 4, offline: 1, failed: 1))
            #expect(ended.untried == 6)
            #expect(try await store.cancel(job.id) == ended)
        },

        JobStoreContract("cancelled while nobody works on it, or while it is received, a job ends at once") { harness in
            let store = try await harness.makeStore()
            let running = try await store.runningJob(1, chunks: 2)
            #expect(try await store.cancel(running.id).state == .cancelled)
            let received = Job.sample(2)
            try await store.create(received, receiver: .sample("r1"))
            try await store.append(.sample(received.id, 0))
            #expect(try await store.cancel(received.id).state == .cancelled)
            // So the receiver learns that it can stop reading.
            await expectRefusal(.conflict) { try await store.append(.sample(received.id, 1)) }
            await expectRefusal(.conflict) {
                _ = try await store.seal(received.id, .sample, total: 3, chunkCount: 1, skippedLines: 0)
            }
            #expect(try await store.lease(.sample("w1"), max: 10, for: .seconds(10)).isEmpty)
        },

        JobStoreContract("a job that is over cannot be cancelled") { harness in
            let store = try await harness.makeStore()
            let finished = try await store.runningJob(1, chunks: 0)
            await expectRefusal(.conflict) { try await store.cancel(finished.id) }
            let failed = Job.sample(2)
            try await store.create(failed, receiver: .sample("r1"))
            try await store.abandon(failed.id, reason: "cut off")
            await expectRefusal(.conflict) { try await store.cancel(failed.id) }
        },

        JobStoreContract("a cancelled job does not wait for ever for a holder that died") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 3)
            let lost = try await store.leaseOne(.sample("w1"))
            _ = try await store.cancel(job.id)
            #expect(try await store.lease(.sample("w2"), max: 10, for: .seconds(10)).isEmpty)
            #expect(try await store.job(job.id).state == .cancelling)
            harness.clock.advance(by: .seconds(11))
            #expect(try await store.lease(.sample("w2"), max: 10, for: .seconds(10)).isEmpty)
            #expect(try await store.job(job.id).state == .cancelled)
            #expect(try await store.complete(lost.lease, .delivered(lost)) == false)
            #expect(try await store.job(job.id).counts == JobCounts())
        },

        JobStoreContract("what a cancelled job gives back ends it") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 3)
            let chunk = try await store.leaseOne(.sample("w1"))
            _ = try await store.cancel(job.id)
            try await store.giveBack([chunk.lease])
            #expect(try await store.job(job.id).state == .cancelled)
            #expect(try await store.job(job.id).untried == 9)
        },
    ]
}
