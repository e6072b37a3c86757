import Common
import Logging
import ServiceLifecycle

/// Works jobs off: leases chunks, serves them, and answers each with its receipt. Every PushRoute runs one, and they
/// know of each other by nothing but the store.
///
/// Leases are renewed while a chunk is in work. When this process dies, they run out and another takes the chunks over;
/// the push's id makes what is sent twice harmless, and the store takes one receipt a chunk. An orderly stop lets the
/// chunks go at once.
package actor JobRunner: Service {
    package struct Configuration: Sendable {
        /// Chunks in work at once, slow ones not counted (`ChunksInWork`).
        package var chunksAtOnce = 4
        /// Jobs at once whose pace makes them slow.
        package var slowJobsMax = 128
        package var leaseTime: Duration = .seconds(15)
        package var renewal: Duration = .seconds(5)
        /// Time between two looks for work that other processes have brought.
        package var poll: Duration = .seconds(1)

        package init() {}
    }

    private let holder: Incarnation
    private let store: any JobStore
    private let plans: JobPlans
    private let server: ChunkServer
    private let configuration: Configuration
    private let metrics: PushRouteMetrics
    private let logger: Logger
    private let bell: JobBell
    private var inWork: ChunksInWork
    /// Why the store could not be written to the last time, if so.
    private(set) var storeProblem: String?

    package init(
        holder: Incarnation, store: any JobStore, dispatcher: Dispatcher, registry: any Registry, paces: KeyPaces,
        bell: JobBell, configuration: Configuration = Configuration(), limits: Limits = .default,
        metrics: PushRouteMetrics, logger: Logger
    ) {
        self.holder = holder
        self.store = store
        plans = JobPlans(store: store, registry: registry, paces: paces, limits: limits)
        server = ChunkServer(dispatcher: dispatcher, logger: logger)
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        self.bell = bell
        inWork = ChunksInWork(places: configuration.chunksAtOnce, slowMax: configuration.slowJobsMax)
    }

    /// Works until shut down: chunks in work end or are let go, no other is begun.
    package func run() async {
        await withDiscardingTaskGroup { keepers in
            keepers.addTask { await self.ringAgainAndAgain() }
            keepers.addTask { await self.renewAgainAndAgain() }
            await withTaskCancellationOrGracefulShutdownHandler {
                await withDiscardingTaskGroup { chunks in
                    for await _ in bell.rings {
                        for work in await self.begin() { chunks.addTask { await self.finish(work) } }
                    }
                }
            } onCancelOrGracefulShutdown: {
                self.bell.stop()
            }
            keepers.cancelAll()
        }
    }

    private nonisolated func ringAgainAndAgain() async {
        while !Task.isCancelled {
            bell.ring()
            try? await Task.sleep(for: configuration.poll)
        }
    }

    private func renewAgainAndAgain() async {
        while true {
            do { try await Task.sleep(for: configuration.renewal) } catch { return }
            let leases = inWork.leases
            guard !leases.isEmpty else { continue }
            do throws(WindfireError) {
                inWork.renewed(try await store.renew(leases, for: configuration.leaseTime), of: leases)
            } catch {
                logger.debug("Could not renew leases of jobs", metadata: [Logger.Metadata.Key.error: "\(error)"])
            }
        }
    }

    // MARK: Chunks

    private struct Work: Sendable {
        let chunk: LeasedChunk
        /// Or why there is none.
        let plan: Result<JobPlan, WindfireError>
    }

    /// Leases what there is room for.
    private func begin() async -> [Work] {
        let free = inWork.free
        guard free > 0, !bell.isStopped else { return [] }
        let chunks: [LeasedChunk]
        do throws(WindfireError) {
            chunks = try await store.lease(
                holder, max: free, for: configuration.leaseTime, except: inWork.slowJobs)
        } catch {
            storeFailed(error)
            return []
        }
        storeAnswered()
        var begun: [Work] = []
        for chunk in chunks {
            let plan = await plan(of: chunk)
            let isSlow = (try? plan.get().isSlow(for: chunk.clients.count)) ?? false
            if inWork.begin(chunk.lease, isSlow: isSlow) {
                begun.append(Work(chunk: chunk, plan: plan))
            } else {
                await giveBack(chunk.lease)
            }
        }
        // Slow ones have left places free.
        if !begun.isEmpty, inWork.free > 0 { bell.ring() }
        return begun
    }

    private func storeFailed(_ error: WindfireError) {
        defer { storeProblem = error.message }
        // So that an operator reads of it once, and not once a second.
        guard storeProblem == nil else { return }
        logger.warning(
            "The job store cannot be used: jobs stand still, and large pushes are refused",
            metadata: [Logger.Metadata.Key.error: "\(error)"])
    }

    private func storeAnswered() {
        guard storeProblem != nil else { return }
        storeProblem = nil
        logger.notice("The job store can be used again")
    }

    private func plan(of chunk: LeasedChunk) async -> Result<JobPlan, WindfireError> {
        do throws(WindfireError) {
            return .success(try await plans.plan(of: chunk.lease.job, inWork: inWork.jobs))
        } catch {
            return .failure(error)
        }
    }

    private func serve(_ work: Work) async -> ChunkServer.Outcome {
        let lease = work.chunk.lease
        switch work.plan {
        case .failure(let error):
            return .notNow(error)
        case .success(let plan):
            let look = CancellationLook(store: store, job: lease.job)
            return await server.serve(work.chunk, plan) { await self.order(lease, look) }
        }
    }

    private func order(_ lease: ChunkLease, _ look: CancellationLook) async -> ChunkServer.Order {
        if inWork.isLost(lease) { return .lost }
        if bell.isStopped { return .stop }
        await plans.share(lease.job)
        return await look.isCancelled(now: .now) ? .leaveOut : .goOn
    }

    private func finish(_ work: Work) async {
        let lease = work.chunk.lease
        if ChunkPatience.isExhausted(beforeAttempt: lease.attempt) {
            await giveUp(work.chunk, because: .internalError)
        } else {
            switch await serve(work) {
            case .served(let receipt): await complete(lease, receipt)
            case .notNow(let error): await putOff(work.chunk, because: error)
            case .stopped(let hasBegun): await letGo(lease, hasBegun: hasBegun)
            case .lost: metrics.chunk("lost")
            }
        }
        inWork.end(lease)
        bell.ring()
    }

    /// Tries until the store has answered, the chunk is known to be somebody else's, or this process stops. While the
    /// store is away nobody overtakes, and the lease counts also when it ran out meanwhile.
    private func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt) async {
        var pause: Duration = .milliseconds(100)
        while !inWork.isLost(lease) {
            do throws(WindfireError) {
                let isCounted = try await store.complete(lease, receipt)
                storeAnswered()
                metrics.chunk(isCounted ? "done" : "lost")
                if isCounted { metrics.targets(receipt.counts) }
                return
            } catch {
                storeFailed(error)
                logger.debug(
                    "Could not record a receipt",
                    metadata: [
                        Logger.Metadata.Key.job: "\(lease.job)", Logger.Metadata.Key.error: "\(error)",
                    ])
            }
            guard !bell.isStopped, !Task.isCancelled else { return }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
        metrics.chunk("lost")
    }

    private func putOff(_ chunk: LeasedChunk, because error: WindfireError) async {
        switch ChunkPatience.verdict(afterAttempt: chunk.lease.attempt) {
        case .putOff(let pause):
            metrics.chunk("put_off")
            // When this fails as well, the lease runs out: that is a pause, too.
            _ = try? await store.renew([chunk.lease], for: pause)
        case .giveUp:
            await giveUp(chunk, because: error.code)
        }
    }

    private func giveUp(_ chunk: LeasedChunk, because code: FailureCode) async {
        logger.notice(
            "A chunk of a job was given up",
            metadata: [
                Logger.Metadata.Key.job: "\(chunk.lease.job)", Logger.Metadata.Key.reason: "\(code.name)",
                Logger.Metadata.Key.count: "\(chunk.clients.count)",
            ])
        metrics.chunk("given_up")
        await complete(chunk.lease, ChunkReceipt(failed: chunk.clients, reason: code.name))
    }

    /// Others need not wait until the lease runs out. Of a chunk that was begun they learn that it was.
    private func letGo(_ lease: ChunkLease, hasBegun: Bool) async {
        guard hasBegun else { return await giveBack(lease) }
        metrics.chunk("let_go")
        _ = try? await store.renew([lease], for: JobLimits.leaseMin)
    }

    private func giveBack(_ lease: ChunkLease) async {
        metrics.chunk("given_back")
        try? await store.giveBack([lease])
    }
}

/// Asks whether a job was cancelled, at most once a second: steps of a pace may be ten a second.
private actor CancellationLook {
    private let store: any JobStore
    private let job: JobID
    private var next = ContinuousClock.now
    private var isOver = false

    init(store: any JobStore, job: JobID) {
        self.store = store
        self.job = job
    }

    func isCancelled(now: ContinuousClock.Instant) async -> Bool {
        guard now >= next, !isOver else { return isOver }
        next = now + .seconds(1)
        // While the store is away, work goes on.
        guard let state = try? await store.job(job).state else { return false }
        isOver = state == .cancelling || state == .cancelled
        return isOver
    }
}
