import Common
import ServiceLifecycle

/// How the chunks of one job are served here: what is sent, and how fast.
struct JobPlan: Sendable {
    let parameters: PushParameters
    /// Of the job's own pace, which it shares with the other PushRoutes; nil without one.
    let jobPacer: TargetPacer?
    /// Of the key that made the job; nil for one without a pace.
    let keyPacer: TargetPacer?

    /// - Parameter replicas: PushRoutes among whom the job's pace is divided.
    init(_ job: Job, _ parameters: PushParameters, keyPacer: TargetPacer?, replicas: Int) {
        self.parameters = parameters
        self.keyPacer = keyPacer
        jobPacer = job.ratePerSecond.map { TargetPacer(perSecond: $0, shares: max(replicas, 1)) }
    }

    /// Clients that are served at a time; nil for a whole chunk.
    var stepMax: Int? { [jobPacer, keyPacer].compactMap { $0?.stepMax }.min() }

    /// Whether this many clients take longer than a second, because of the pace.
    func isSlow(for clients: Int) -> Bool {
        [jobPacer, keyPacer].compactMap { $0?.time(of: clients) }.contains { $0 > .seconds(1) }
    }

    /// - Throws: when the task is cancelled, or this process begins to stop: a turn may be seconds away.
    func waitForTurn(_ count: Int) async throws {
        try await cancelWhenGracefulShutdown {
            try await jobPacer?.waitForTurn(count)
            try await keyPacer?.waitForTurn(count)
        }
    }
}
