import Common
import TestKit
import Testing

@testable import PushRoute

/// The rules of working on jobs, without work.
@Suite struct JobRulesTests {
    private func lease(_ job: JobID, _ index: Int, attempt: Int = 1) -> ChunkLease {
        ChunkLease(job: job, index: index, holder: .sample("r1"), attempt: attempt, expiresAt: 0)
    }

    @Test func slowJobsHoldNoPlaceAndHaveOneChunkEach() {
        var work = ChunksInWork(places: 2, slowMax: 2)
        let (one, two, fast) = (JobID.sample(1), JobID.sample(2), JobID.sample(3))
        #expect(work.begin(lease(one, 0), isSlow: true) == true)
        #expect(work.begin(lease(one, 1), isSlow: true) == false)
        #expect(work.free == 2)
        #expect(work.slowJobs == [one])
        #expect(work.begin(lease(fast, 0), isSlow: false) == true)
        #expect(work.begin(lease(fast, 1), isSlow: false) == true)
        #expect(work.free == 0)
        work.end(lease(fast, 0))
        #expect(work.free == 1)
        #expect(work.begin(lease(two, 0), isSlow: true) == true)
        // No room for another slow job.
        #expect(work.free == 0)
        work.end(lease(one, 0))
        #expect(work.free == 1)
        #expect(work.jobs == [two, fast])
    }

    @Test func aLeaseThatIsNotRenewedIsLost() {
        var work = ChunksInWork(places: 4, slowMax: 2)
        let job = JobID.sample()
        for index in 0..<3 { #expect(work.begin(lease(job, index), isSlow: false) == true) }
        let asked = work.leases
        // Begun while the store was asked.
        #expect(work.begin(lease(job, 3), isSlow: false) == true)
        work.renewed([lease(job, 1)], of: asked)
        #expect((0..<4).map { work.isLost(lease(job, $0)) } == [true, false, true, false])
        #expect(Set(work.leases.map(\.index)) == [1, 3])
        // Another attempt is another lease.
        #expect(work.isLost(lease(job, 1, attempt: 2)))
    }

    @Test func pausesGrowAndTheTenthFailureIsTheLast() {
        #expect(
            (1...10).map { ChunkPatience.verdict(afterAttempt: $0) } == [
                .putOff(.seconds(1)), .putOff(.seconds(2)), .putOff(.seconds(4)), .putOff(.seconds(8)),
                .putOff(.seconds(16)), .putOff(.seconds(30)), .putOff(.seconds(30)), .putOff(.seconds(30)),
                .putOff(.seconds(30)), .giveUp,
            ])
        #expect(ChunkPatience.verdict(afterAttempt: .max) == .giveUp)
        // Who worked on it died ten times.
        #expect(!ChunkPatience.isExhausted(beforeAttempt: 10))
        #expect(ChunkPatience.isExhausted(beforeAttempt: 11))
    }

    @Test func aPaceIsSharedAmongThePushRoutes() throws {
        let push = PushParameters(data: [0x31])
        var job = Job.sample()
        #expect(JobPlan(job, push, keyPacer: nil, replicas: 3).stepMax == nil)
        job.ratePerSecond = 3_000
        let plan = JobPlan(job, push, keyPacer: nil, replicas: 3)
        #expect(plan.stepMax == 100)
        #expect(!plan.isSlow(for: 1_000))
        #expect(plan.isSlow(for: 1_001))
        #expect(JobPlan(job, push, keyPacer: TargetPacer(perSecond: 50), replicas: 0).stepMax == 5)
        job.ratePerSecond = 2
        let slowest = JobPlan(job, push, keyPacer: nil, replicas: 5)
        #expect(slowest.stepMax == 1)
        #expect(slowest.isSlow(for: 1))
        // Others have gone: what is left of the pace is this one's.
        slowest.jobPacer?.share(among: 1)
        #expect(!slowest.isSlow(for: 2))
        #expect(slowest.isSlow(for: 3))
    }

    @Test func watchersHearOfChangesOfTheEndAndThatTheStreamLives() throws {
        var feed = JobFeed()
        let start = ContinuousClock.now
        var job = Job.sample()
        let first = JobReport(job, now: 0)
        #expect(feed.look(at: first, now: start) == .progress(first))
        #expect(feed.look(at: first, now: start + .seconds(14)) == nil)
        #expect(feed.look(at: first, now: start + .seconds(15)) == .comment)
        #expect(feed.silence(now: start + .seconds(16)) == nil)
        job.counts.delivered = 1
        let second = JobReport(job, now: 0)
        #expect(feed.look(at: second, now: start + .seconds(16)) == .progress(second))
        job.state = .failed(reason: "cut off")
        let last = JobReport(job, now: 0)
        #expect(last.reason == "cut off")
        #expect(feed.look(at: last, now: start + .seconds(17)) == .finished(last))
    }

    @Test func watchersAreBoundedAndLeaveTheirPlace() throws {
        let watchers = JobWatchers(max: 1)
        var place: JobWatchers.Place? = try watchers.enter()
        #expect(throws: WindfireError.self) { try watchers.enter() }
        #expect(place != nil)
        place = nil
        _ = try watchers.enter()
    }

    @Test func listsThatAreStillReadAreSpokenForAndTheOldIsSweptAway() async throws {
        let clock = ShiftedClock()
        let store = InMemoryJobStore(now: { clock.now })
        let routes = ScriptedRouteStore()
        let open = OpenJobs()
        let receiver = JobReceiver(
            store: store, receiver: .sample("r1"), open: open, bell: JobBell(), limits: .default)
        let keeper = JobKeeper(
            holder: .sample("r1"), store: store, routes: routes, open: open,
            acknowledgements: JobAcknowledgements(store: store, inboxes: routes), configuration: .init(),
            logger: quiet, now: { clock.now })
        let slow = try await receiver.begin(owner: "backend")
        let silent = Job.sample()
        try await store.create(silent, receiver: .sample("r2"))
        for _ in 0..<3 {
            clock.advance(by: .seconds(50))
            await keeper.touch()
            try await keeper.look()
        }
        #expect(try await store.job(slow).state == .receiving)
        #expect(try await store.job(silent.id).state == .failed(reason: JobSweep.bodyEndedEarly))
        await receiver.abandon(slow, reason: "cut off")
        #expect(try await store.job(slow).state == .failed(reason: "cut off"))
        #expect(open.all.isEmpty)
        clock.advance(by: .seconds(6 * 86_400))
        try await keeper.look()
        #expect(try await store.job(slow).state.isEnded)
        clock.advance(by: .seconds(2 * 86_400))
        // Another holds the lease: this one does nothing.
        await routes.giveLease(to: .sample("r9"))
        try await keeper.look()
        #expect(await store.jobs(after: nil, limit: 10).count == 2)
        await routes.giveLease(to: .sample("r1"))
        try await keeper.look()
        #expect(await store.jobs(after: nil, limit: 10).isEmpty)
    }
}
