import Common
import ServiceLifecycle
import TestKit
import Testing

@testable import PushRoute

/// Jobs, from the sealed list to the last receipt.
@Suite struct JobRunnerTests {
    /// Runs `body` beside the runners, and ends them.
    private func running(
        _ runners: [JobRunner], _ body: () async throws -> Void
    ) async throws {
        let tasks = runners.map { runner in Task { await runner.run() } }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        try result.get()
    }

    private func ended(_ id: JobID, in harness: JobHarness) async throws -> Job {
        try await eventually(within: .seconds(30), "the job has ended") { () async throws -> Job? in
            let job = try await harness.store.job(id)
            return job.state.isEnded ? job : nil
        }
    }

    @Test func aJobOfTenThousandIsServedAndEveryoneIsAccountedFor() async throws {
        let harness = JobHarness()
        let clients = await harness.clients(10_000)
        let id = try await harness.job(of: clients)
        try await running([harness.runner("r1"), harness.runner("r2")]) {
            let job = try await ended(id, in: harness)
            #expect(job.state == .finished)
            #expect(job.counts == JobCounts(delivered: 5_000, offline: 5_000))
            #expect(job.chunksDone == 10)
        }
        #expect(harness.nodes.sessions == 5_000)
        #expect(harness.nodes.mostPerSession == 1)
        let odd = stride(from: 1, to: 10_000, by: 2).map { Undelivered(client: clients[$0], reason: .offline) }
        #expect(try await harness.allUndelivered(id) == odd)
    }

    @Test func aSealedJobIsBegunAtOnceWithoutWaitingForTheNextLook() async throws {
        let harness = JobHarness()
        let bell = JobBell()
        var configuration = JobRunner.Configuration()
        configuration.poll = .seconds(3_600)
        let runner = JobRunner(
            holder: harness.incarnation("r1"), store: harness.store, dispatcher: harness.dispatcher(),
            registry: harness.registry, paces: KeyPaces([:]), bell: bell, configuration: configuration,
            metrics: PushRouteMetrics(harness.metrics), logger: quiet)
        let clients = await harness.clients(3_000)
        try await running([runner]) {
            let id = try await harness.job(of: clients, wake: bell)
            #expect(try await ended(id, in: harness).counts.delivered == 1_500)
        }
    }

    @Test func whatARunnerThatDiedHadInWorkIsTakenOverAndNobodyIsServedTwice() async throws {
        let harness = JobHarness()
        let id = try await harness.job(of: await harness.clients(10_000))
        // The first two chunks are answered, the next four hang until after the death of who sent them.
        harness.nodes.hang(after: 2)
        let dying = Task { await harness.runner("r1").run() }
        try await eventually("four chunks hang") { harness.nodes.hanging == 4 }
        dying.cancel()
        #expect(try await harness.store.job(id).chunksDone == 2)
        harness.nodes.hang(after: .max)
        try await running([harness.runner("r2")]) {
            let job = try await ended(id, in: harness)
            #expect(job.state == .finished)
            #expect(job.counts == JobCounts(delivered: 5_000, offline: 5_000))
        }
        // The dead wakes up, and its receipts are not counted.
        harness.nodes.goOn()
        await dying.value
        let job = try await harness.store.job(id)
        #expect(job.counts == JobCounts(delivered: 5_000, offline: 5_000))
        #expect(harness.nodes.sessions == 5_000)
        #expect(harness.nodes.mostPerSession == 1)
        #expect(harness.nodes.repeats == 2_000)
    }

    @Test func aStoredPushHasTheSameIdInEveryChunkAndSaysWhenItIsRepeated() async throws {
        let harness = JobHarness()
        let push = PushParameters(data: [0x31], mode: .stored, timeToLive: .seconds(60))
        let id = try await harness.job(of: await harness.clients(2_000), push)
        harness.nodes.hang(after: 0)
        let dying = Task { await harness.runner("r1").run() }
        try await eventually("two chunks hang") { harness.nodes.hanging == 2 }
        dying.cancel()
        harness.nodes.hang(after: .max)
        try await running([harness.runner("r2")]) {
            let job = try await ended(id, in: harness)
            #expect(job.counts == JobCounts(delivered: 1_000, offline: 1_000, stored: 1_000))
        }
        harness.nodes.goOn()
        await dying.value
        let stored = await harness.routes.inboxes.stored
        #expect(Set(stored.map(\.message.push)) == [id.uuid])
        #expect(Set(stored.map(\.message.job)) == [id])
        #expect(stored.map(\.isRepeat) == [false, false, true, true])
        let reasons = Set(try await harness.allUndelivered(id).map(\.reason))
        #expect(reasons == [.stored])
    }

    @Test func whileRoutesAreAwayAChunkIsPutOffAndServedLater() async throws {
        let harness = JobHarness()
        let id = try await harness.job(of: await harness.clients(1_000))
        await harness.routes.fail(with: WindfireError(.routesUnavailable, "away"))
        try await running([harness.runner("r1")]) {
            try await eventually("the chunk was put off") {
                await harness.metrics.exposition().contains(#"windfire_job_chunks_total{outcome="put_off"} 1"#)
            }
            #expect(try await harness.store.job(id).chunksDone == 0)
            await harness.routes.fail(with: nil)
            #expect(try await ended(id, in: harness).counts == JobCounts(delivered: 500, offline: 500))
        }
    }

    @Test func aChunkThatFailedTenTimesIsGivenUpWithTheReason() async throws {
        let clock = ShiftedClock()
        let harness = JobHarness(store: InMemoryJobStore(now: { clock.now }))
        let id = try await harness.job(of: await harness.clients(10))
        await harness.routes.fail(with: WindfireError(.routesUnavailable, "away"))
        try await running([harness.runner("r1")]) {
            let job = try await eventually(within: .seconds(30), "the job has ended") { () async throws -> Job? in
                clock.advance(by: .seconds(31))
                let job = try await harness.store.job(id)
                return job.state.isEnded ? job : nil
            }
            #expect(job.state == .finished)
            #expect(job.counts == JobCounts(failed: 10))
        }
        let reasons = Set(try await harness.allUndelivered(id).map(\.reason))
        #expect(reasons == [.failed("routes_unavailable")])
    }

    @Test func aChunkOfWhichTenHaveDiedIsNotBegunOnceMore() async throws {
        let clock = ShiftedClock()
        let harness = JobHarness(store: InMemoryJobStore(now: { clock.now }))
        let id = try await harness.job(of: await harness.clients(10))
        for attempt in 1...10 {
            let leased = try await harness.store.lease(.sample("dead"), max: 1, for: .seconds(1))
            #expect(leased.first?.lease.attempt == attempt)
            clock.advance(by: .seconds(2))
        }
        try await running([harness.runner("r1")]) {
            let job = try await ended(id, in: harness)
            #expect(job.counts == JobCounts(failed: 10))
        }
        #expect(harness.nodes.calls == 0)
        let reasons = Set(try await harness.allUndelivered(id).map(\.reason))
        #expect(reasons == [.failed("internal_error")])
    }

    @Test func aCancelledJobBeginsNoFurtherChunkAndNamesThoseWhoWereNotTried() async throws {
        let harness = JobHarness()
        let id = try await harness.job(of: await harness.clients(10_000))
        harness.nodes.hang(after: 2)
        try await running([harness.runner("r1")]) {
            try await eventually("four chunks hang") { harness.nodes.hanging == 4 }
            #expect(try await harness.store.cancel(id).state == .cancelling)
            harness.nodes.goOn()
            let job = try await ended(id, in: harness)
            #expect(job.state == .cancelled)
            #expect(job.counts == JobCounts(delivered: 3_000, offline: 3_000))
            #expect(job.untried == 4_000)
        }
        let untried = try await harness.allUndelivered(id).count { $0.reason == .notTried }
        #expect(untried == 4_000)
    }

    @Test func aSlowJobKeepsItsPaceAndDoesNotStopTheOthers() async throws {
        let harness = JobHarness()
        let clients = await harness.clients(6_000)
        let slow = try await harness.job(of: clients, PushParameters(data: [0x31], ratePerSecond: 100))
        try await running([harness.runner("r1")]) {
            try await eventually("the slow job has begun") { harness.nodes.calls > 0 }
            let fast = try await harness.job(of: clients)
            #expect(try await ended(fast, in: harness).counts == JobCounts(delivered: 3_000, offline: 3_000))
            let job = try await harness.store.job(slow)
            #expect(job.state == .running)
            #expect(job.chunksLeased == 1)
            // Between two steps it finds that it was cancelled.
            try await harness.store.cancel(slow)
            let cancelled = try await ended(slow, in: harness)
            #expect(cancelled.state == .cancelled)
            #expect(cancelled.untried >= 5_000)
            #expect(try await harness.allUndelivered(slow).count == cancelled.untried + cancelled.counts.offline)
        }
    }

    @Test func aKeysPaceHoldsForItsJobs() async throws {
        let harness = JobHarness()
        let id = try await harness.job(of: await harness.clients(300), owner: "slow")
        let start = ContinuousClock.now
        try await running([harness.runner("r1", paces: KeyPaces(["slow": 200]))]) {
            let job = try await ended(id, in: harness)
            #expect(job.counts == JobCounts(delivered: 150, offline: 150))
        }
        // One second's worth at once, the rest at its pace.
        #expect(ContinuousClock.now - start >= .milliseconds(400))
    }

    @Test func anOrderlyStopWaitsForNoTurnAndLetsTheChunkGo() async throws {
        let harness = JobHarness()
        let paces = KeyPaces(["slow": 1])
        // The next turn is an hour away.
        _ = paces.pacer(of: "slow")?.take(3_600)
        let id = try await harness.job(of: await harness.clients(10), owner: "slow")
        let group = ServiceGroup(services: [harness.runner("r1", paces: paces)], logger: quiet)
        async let ran: Void = group.run()
        try await eventually("the chunk is in work") { try await harness.store.job(id).chunksLeased == 1 }
        await group.triggerGracefulShutdown()
        try await ran
        let job = try await harness.store.job(id)
        #expect(job.state == .running)
        #expect(job.chunksPending == 1)
        #expect(harness.nodes.calls == 0)
    }

    @Test func aReceiptWaitsForAStoreThatIsAway() async throws {
        let store = FailingJobStore(InMemoryJobStore())
        let harness = JobHarness(store: store)
        let id = try await harness.job(of: await harness.clients(10_000))
        harness.nodes.hang(after: 2)
        try await running([harness.runner("r1")]) {
            try await eventually("four chunks hang") { harness.nodes.hanging == 4 }
            store.isAway = true
            harness.nodes.goOn()
            try await eventually("all receipts were refused") { store.refusedReceipts >= 4 }
            store.isAway = false
            #expect(try await ended(id, in: harness).counts == JobCounts(delivered: 5_000, offline: 5_000))
        }
        #expect(harness.nodes.mostPerSession == 1)
    }
}
