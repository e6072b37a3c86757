import Common
import HummingbirdTesting
import TestKit
import Testing

@testable import PushRoute

/// `/v1/jobs`, without a runner: the tests do its work.
@Suite struct JobEndpointTests {
    private func ask(
        _ harness: FaceHarness, _ path: String, key: String = "push-key", post: Bool = false
    ) async throws -> Answer {
        try await harness.ask { client async throws in
            try await client.ask(post ? .post : .get, path, key: key)
        }
    }

    /// A job of `owner`, and its chunks in work.
    private func job(
        _ store: any JobStore, owner: String = "backend", number: UInt64 = 1, chunks: Int = 3,
        _ order: JobOrder = JobOrder(specification: PushParameters(data: [0x31]).json())
    ) async throws -> (JobID, [LeasedChunk]) {
        let job = Job(id: .sample(number), createdAt: 1_700_000_000_000 + number * 1_000, owner: owner)
        try await store.create(job, receiver: .sample("r1"))
        for index in 0..<chunks { try await store.append(.sample(job.id, index)) }
        _ = try await store.seal(job.id, order, total: chunks * 3, chunkCount: chunks, skippedLines: 2)
        return (job.id, try await store.lease(.sample("w1"), max: 100, for: .seconds(60)))
    }

    @Test func aJobIsShownWithItsNumbersWhileItRuns() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let (id, chunks) = try await job(store)
        _ = await store.complete(chunks[1].lease, .mixed(chunks[1]))
        let answer = try await ask(harness, "/v1/jobs/\(id)")
        #expect(answer.status == 200)
        #expect(
            answer.body == """
                {"acknowledged":0,"chunks":3,"created_at":1700000001,"delivered":1,"done_chunks":1,"expired":0,\
                "failed":1,"job":"\(id)","mode":"live","offline":1,"owner":"backend","skipped_lines":2,\
                "state":"running","stored":0,"total":9,"untried":6}
                """)
    }

    @Test func aStoredJobShowsWhoHasAcknowledgedAndAfterItsTimeWhoNeverDid() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let end = WallClock.milliseconds() - 1_000
        let (id, chunks) = try await job(
            store, chunks: 1, JobOrder(specification: [], isStored: true, expiresAt: end))
        let receipt = ChunkReceipt(
            counts: JobCounts(delivered: 1, offline: 2, stored: 2),
            undelivered: chunks[0].clients.dropFirst().map { Undelivered(client: $0, reason: .stored) })
        _ = await store.complete(chunks[0].lease, receipt)
        await harness.routes.script { $0.acknowledged[id] = 2 }
        let answer = try await ask(harness, "/v1/jobs/\(id)")
        #expect(answer.body.contains(#""acknowledged":2,"#))
        #expect(answer.body.contains(#""expired":1,"#))
        #expect(try await store.job(id).counts.acknowledged == 2)
        // While the routes are away, the recorded count stands.
        await harness.routes.fail(with: WindfireError(.routesUnavailable, "away"))
        #expect(try await ask(harness, "/v1/jobs/\(id)").body.contains(#""acknowledged":2,"#))
    }

    @Test func aPushKeySeesItsOwnJobsAndOperatorsSeeAll() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let (own, _) = try await job(store, number: 1)
        let (other, _) = try await job(store, owner: "slow", number: 2)
        #expect(try await ask(harness, "/v1/jobs/\(own)").status == 200)
        for path in ["", "/events", "/undelivered"] {
            #expect(try await ask(harness, "/v1/jobs/\(other)\(path)").code == "not_found", "\(path)")
        }
        for path in ["/cancel", "/resend"] {
            #expect(try await ask(harness, "/v1/jobs/\(other)\(path)", post: true).code == "not_found", "\(path)")
        }
        #expect(try await store.job(other).state == .running)
        for key in ["ops-key", "admin-key"] {
            let list = try await ask(harness, "/v1/jobs", key: key)
            #expect(list.body.contains(own.description) && list.body.contains(other.description), "\(key)")
        }
        let mine = try await ask(harness, "/v1/jobs")
        #expect(mine.body.contains(own.description) && !mine.body.contains(other.description))
        #expect(try await ask(harness, "/v1/jobs", key: "wrong").status == 401)
        #expect(try await ask(harness, "/v1/jobs/\(own)/resend", key: "ops-key", post: true).status == 403)
    }

    @Test func jobsAreListedPageByPage() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        var ids: [JobID] = []
        for number in 1...5 { ids.append(try await job(store, number: UInt64(number), chunks: 0).0) }
        let first = try await ask(harness, "/v1/jobs?limit=3", key: "ops-key")
        #expect(first.body.hasSuffix(#""next":"\#(ids[2])"}"#))
        let second = try await ask(harness, "/v1/jobs?limit=3&after=\(ids[2])", key: "ops-key")
        #expect(second.body.contains(ids[1].description) && second.body.contains(ids[0].description))
        #expect(!second.body.contains("next"))
        for query in ["limit=0", "limit=1001", "limit=x"] {
            #expect(try await ask(harness, "/v1/jobs?\(query)").code == "invalid_request", "\(query)")
        }
        #expect(try await ask(harness, "/v1/jobs?after=x").code == "invalid_id")
    }

    @Test func whatIsNoJobIsNotFound() async throws {
        let harness = try FaceHarness(store: InMemoryJobStore())
        for id in ["\(JobID.sample())", "nonsense", "%00"] {
            for path in ["", "/events", "/undelivered"] {
                #expect(try await ask(harness, "/v1/jobs/\(id)\(path)").status == 404, "\(id)\(path)")
            }
            for path in ["/cancel", "/resend"] {
                #expect(try await ask(harness, "/v1/jobs/\(id)\(path)", post: true).status == 404, "\(id)\(path)")
            }
        }
    }

    @Test func cancellingTwiceIsFineAndTooLateIsAConflict() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let (id, chunks) = try await job(store, chunks: 1)
        for _ in 0..<2 {
            let answer = try await ask(harness, "/v1/jobs/\(id)/cancel", post: true)
            #expect(answer.status == 200)
            #expect(answer.body.contains(#""state":"cancelling""#))
        }
        _ = await store.complete(chunks[0].lease, .delivered(chunks[0]))
        #expect(try await ask(harness, "/v1/jobs/\(id)/cancel", post: true).body.contains(#""state":"cancelled""#))
        let (finished, _) = try await job(store, number: 2, chunks: 0)
        #expect(try await ask(harness, "/v1/jobs/\(finished)/cancel", post: true).status == 409)
    }

    @Test func theUndeliveredAreNamedALineEach() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let (id, chunks) = try await job(store, chunks: 2)
        _ = await store.complete(chunks[0].lease, .mixed(chunks[0]))
        _ = try await store.cancel(id)
        await store.giveBack([chunks[1].lease])
        let answer = try await ask(harness, "/v1/jobs/\(id)/undelivered")
        #expect(
            answer.body == """
                {"client":"c0-0","reason":"offline"}
                {"client":"c0-1","reason":"node_unavailable"}
                {"client":"c1-0","reason":"not_tried"}
                {"client":"c1-1","reason":"not_tried"}
                {"client":"c1-2","reason":"not_tried"}

                """)
    }

    @Test func resendMakesAJobOfThoseWhoWereNotDeliveredTo() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let push = PushParameters(data: [0x37], mode: .stored, collapseKey: "k", ratePerSecond: 9)
        let end = WallClock.milliseconds() + 3_600_000
        let (id, chunks) = try await job(
            store, chunks: 1,
            JobOrder(specification: push.json(), isStored: true, ratePerSecond: 9, expiresAt: end))
        let early = try await ask(harness, "/v1/jobs/\(id)/resend", post: true)
        #expect(early.status == 409)
        #expect(early.code == "conflict")
        let clients = chunks[0].clients
        let receipt = ChunkReceipt(
            counts: JobCounts(offline: 1, stored: 1, failed: 2),
            undelivered: [
                Undelivered(client: clients[0], reason: .stored),
                Undelivered(client: clients[1], reason: .failed("routes_unavailable")),
                Undelivered(client: clients[2], reason: .failed("outbox_full")),
            ])
        _ = await store.complete(chunks[0].lease, receipt)
        // Not to the one whose message waits.
        let answer = try await ask(harness, "/v1/jobs/\(id)/resend", post: true)
        #expect(answer.status == 202)
        #expect(answer.body.hasSuffix(#""resend_of":"\#(id)","total":2}"#))
        let new = try #require(await store.jobs(after: nil, limit: 1).first)
        #expect(new.resendOf == id)
        #expect(new.state == .running)
        #expect(new.ratePerSecond == 9)
        #expect(new.owner == "backend")
        #expect(try PushParameters(json: await store.specification(of: new.id)) == push)
        let work = try await store.lease(.sample("w2"), max: 10, for: .seconds(10))
        #expect(work.flatMap(\.clients) == Array(clients.dropFirst()))
    }

    @Test func eventsEndWithTheJob() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let (id, chunks) = try await job(store, chunks: 1)
        async let watched = ask(harness, "/v1/jobs/\(id)/events")
        _ = await store.complete(chunks[0].lease, .delivered(chunks[0]))
        let body = try await watched.body
        #expect(body.hasPrefix("event: "))
        #expect(body.ranges(of: "event: finished\ndata: ").count == 1)
        #expect(body.hasSuffix("\n\n"))
        #expect(body.contains(#""delivered":3,"#))
    }

    @Test func aStoreThatIsAwayStopsLargePushesAndNeitherTheSmallOnesNorReadiness() async throws {
        let store = FailingJobStore(InMemoryJobStore())
        let harness = try FaceHarness(store: store)
        #expect(try await ask(harness, "/readyz").status == 200)
        store.isAway = true
        let ready = try await ask(harness, "/readyz")
        // Who balances by it would lose all replicas at once, for they share the store.
        #expect(ready.status == 200)
        #expect(
            ready.body
                == #"{"missing":[{"detail":"the job database is away","name":"jobs"}],"status":"degraded"}"#)
        let (small, large) = try await harness.ask { client async throws in
            (
                try await client.ask(
                    .post, "/v1/push", key: "push-key", body: #"{"to":{"clients":["a"]},"data":1}"#),
                try await client.ask(
                    .post, "/v1/push", key: "push-key", body: #"{"to":{"clients":["a"]},"data":1,"async":true}"#)
            )
        }
        #expect(small.status == 200)
        #expect(large.status == 503)
        #expect(large.code == "jobs_unavailable")
        #expect(try await ask(harness, "/v1/jobs").code == "jobs_unavailable")
    }
}
