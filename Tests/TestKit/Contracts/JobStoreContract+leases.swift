import Common
import Testing

extension JobStoreContract {
    static let leases: [JobStoreContract] = [
        JobStoreContract("a chunk is leased once, in the order of the list, to whoever asks") { harness in
            let (one, other) = (try await harness.makeStore(), try await harness.makeStore())
            let job = try await one.runningJob(chunks: 5)
            let first = try await one.lease(.sample("w1"), max: 2, for: .seconds(10))
            let second = try await other.lease(.sample("w2"), max: 10, for: .seconds(10))
            #expect(first.map(\.lease.index) == [0, 1])
            #expect(second.map(\.lease.index) == [2, 3, 4])
            #expect(second.map(\.clients) == (2...4).map { JobChunk.sample(job.id, $0).clients })
            #expect(Set((first + second).map(\.lease.attempt)) == [1])
            #expect(Set(second.map(\.lease.holder)) == [.sample("w2")])
            #expect(try await one.lease(.sample("w1"), max: 10, for: .seconds(10)).isEmpty)
            let now = try await one.job(job.id)
            #expect(now.chunksLeased == 5)
            #expect(now.chunksPending == 0)
        },

        JobStoreContract("the chunks of a dead holder are taken over first, as a repeat") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 4)
            let lost = try await store.lease(.sample("w1"), max: 2, for: .seconds(10))
            #expect(lost.map(\.lease.index) == [0, 1])
            harness.clock.advance(by: .seconds(9))
            #expect(try await store.leaseOne(.sample("w2")).lease.index == 2)
            harness.clock.advance(by: .seconds(2))
            let taken = try await store.lease(.sample("w2"), max: 3, for: .seconds(10))
            #expect(Set(taken.map(\.lease.index)) == [0, 1, 3])
            #expect(taken.filter { $0.lease.index < 2 }.map(\.lease.attempt) == [2, 2])
            #expect(taken.first { $0.lease.index == 0 }?.clients == JobChunk.sample(job.id, 0).clients)
            #expect(taken.first { $0.lease.index == 3 }?.lease.attempt == 1)
            #expect(try await store.job(job.id).chunksLeased == 4)
        },

        JobStoreContract("a receipt of a lease that was taken over does not count") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 1)
            let lost = try await store.leaseOne(.sample("w1"))
            harness.clock.advance(by: .seconds(11))
            let taken = try await store.leaseOne(.sample("w2"))
            #expect(try await store.complete(lost.lease, .mixed(lost)) == false)
            #expect(try await store.job(job.id).counts == JobCounts())
            #expect(try await store.renew([lost.lease], for: .seconds(10)).isEmpty)
            #expect(try await store.complete(taken.lease, .delivered(taken)))
            #expect(try await store.complete(lost.lease, .mixed(lost)) == false)
            #expect(try await store.job(job.id).counts == JobCounts(delivered: 3))
        },

        JobStoreContract("the same holder that lost a lease and got it again has one that counts, the newer") {
            harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 1)
            let first = try await store.leaseOne(.sample("w1"))
            harness.clock.advance(by: .seconds(11))
            let second = try await store.leaseOne(.sample("w1"))
            #expect(second.lease.attempt == 2)
            #expect(try await store.complete(first.lease, .delivered(first)) == false)
            #expect(try await store.complete(second.lease, .delivered(second)))
            #expect(try await store.job(job.id).counts.delivered == 3)
        },

        JobStoreContract("a call whose task is cancelled does not lose its receipt") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 1)
            let chunk = try await store.leaseOne(.sample("w1"))
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await store.complete(chunk.lease, .delivered(chunk))
            }
            #expect(try await task.value)
            #expect(try await store.job(job.id).state == .finished)
        },

        JobStoreContract("a slow holder that nobody overtook can still complete, or renew") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 2)
            let late = try await store.lease(.sample("w1"), max: 2, for: .seconds(10))
            harness.clock.advance(by: .seconds(60))
            #expect(try await store.complete(late[0].lease, .delivered(late[0])))
            let renewed = try await store.renew([late[1].lease], for: .seconds(10))
            #expect(renewed.map(\.index) == [1])
            #expect(try await store.lease(.sample("w2"), max: 1, for: .seconds(10)).isEmpty)
            #expect(try await store.complete(renewed[0], .delivered(late[1])))
            #expect(try await store.job(job.id).state == .finished)
        },

        JobStoreContract("a renewed lease is not taken over at its first end, but at its second") { harness in
            let store = try await harness.makeStore()
            _ = try await store.runningJob(chunks: 1)
            let chunk = try await store.leaseOne(.sample("w1"))
            harness.clock.advance(by: .seconds(6))
            let renewed = try await store.renew([chunk.lease], for: .seconds(10))
            #expect(renewed.count == 1)
            #expect(renewed[0].expiresAt > chunk.lease.expiresAt)
            harness.clock.advance(by: .seconds(6))
            #expect(try await store.lease(.sample("w2"), max: 1, for: .seconds(10)).isEmpty)
            harness.clock.advance(by: .seconds(6))
            #expect(try await store.leaseOne(.sample("w2")).lease.attempt == 2)
        },

        JobStoreContract("what is given back is free at once and counts as not begun") { harness in
            let store = try await harness.makeStore()
            let job = try await store.runningJob(chunks: 2)
            let chunks = try await store.lease(.sample("w1"), max: 2, for: .seconds(10))
            try await store.giveBack(chunks.map(\.lease))
            #expect(try await store.job(job.id).chunksPending == 2)
            let again = try await store.lease(.sample("w2"), max: 2, for: .seconds(10))
            #expect(again.map(\.lease.index) == [0, 1])
            #expect(again.map(\.lease.attempt) == [1, 1])
            // The first holder has nothing to give back any more.
            try await store.giveBack(chunks.map(\.lease))
            #expect(try await store.job(job.id).chunksLeased == 2)
            #expect(try await store.complete(chunks[0].lease, .delivered(chunks[0])) == false)
        },

        JobStoreContract("a lease that would last too long was made before the clock was set back, and is free") {
            harness in
            let store = try await harness.makeStore()
            _ = try await store.runningJob(chunks: 1)
            harness.clock.advance(by: .seconds(7_200))
            _ = try await store.leaseOne(.sample("w1"))
            harness.clock.advance(by: .seconds(-7_200))
            #expect(try await store.leaseOne(.sample("w2")).lease.attempt == 2)
        },

        JobStoreContract("a huge job does not starve a small one: jobs take turns") { harness in
            let store = try await harness.makeStore()
            let huge = try await store.runningJob(1, chunks: 40)
            for _ in 0..<5 { #expect(try await store.leaseOne(.sample("w1")).lease.job == huge.id) }
            let small = try await store.runningJob(2, chunks: 2)
            var order: [JobID] = []
            for _ in 0..<5 { order.append(try await store.leaseOne(.sample("w1")).lease.job) }
            #expect(order == [small.id, huge.id, small.id, huge.id, huge.id])
        },

        JobStoreContract("places of one call are shared among the jobs that wait") { harness in
            let store = try await harness.makeStore()
            let jobs = [
                try await store.runningJob(1, chunks: 20), try await store.runningJob(2, chunks: 1),
                try await store.runningJob(3, chunks: 20),
            ]
            let chunks = try await store.lease(.sample("w1"), max: 9, for: .seconds(10))
            #expect(jobs.map { job in chunks.count { $0.lease.job == job.id } } == [4, 1, 4])
            let rest = try await store.lease(.sample("w1"), max: 100, for: .seconds(10))
            #expect(rest.count == 32)
        },

        JobStoreContract("jobs that are to be left out give no chunk, neither a new one nor one of the dead") {
            harness in
            let store = try await harness.makeStore()
            let (one, other) = (
                try await store.runningJob(1, chunks: 3), try await store.runningJob(2, chunks: 2)
            )
            let lost = try await store.leaseOne(.sample("w1"))
            #expect(lost.lease.job == one.id)
            harness.clock.advance(by: .seconds(11))
            func leased(_ except: Set<JobID>) async throws -> [JobID] {
                try await store.lease(.sample("w2"), max: 10, for: .seconds(10), except: except).map(\.lease.job)
            }
            #expect(try await leased([one.id, other.id]) == [])
            #expect(try await leased([one.id, .sample(9)]) == [other.id, other.id])
            #expect(try await leased([]) == [one.id, one.id, one.id])
        },

        JobStoreContract("a chunk that is put off comes back after that time, as another attempt") { harness in
            let store = try await harness.makeStore()
            _ = try await store.runningJob(chunks: 1)
            let first = try await store.leaseOne(.sample("w1"))
            #expect(try await store.renew([first.lease], for: .seconds(30)).count == 1)
            harness.clock.advance(by: .seconds(29))
            #expect(try await store.lease(.sample("w2"), max: 1, for: .seconds(10)).isEmpty)
            harness.clock.advance(by: .seconds(2))
            #expect(try await store.leaseOne(.sample("w2")).lease.attempt == 2)
        },
    ]
}
