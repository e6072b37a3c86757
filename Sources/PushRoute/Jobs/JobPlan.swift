import Common

/// How the chunks of one job are served here: what is sent, and how fast.
struct JobPlan: Sendable {
    let parameters: PushParameters
    /// Of the job's own pace, which it shares with the other PushRoutes; nil without one.
    let jobPacer: TargetPacer?
    /// Of the key that made the job; nil for one without a pace.
    let keyPacer: TargetPacer?
    /// PushRoutes among whom the job's pace was divided.
    let replicas: Int
    let isPaced: Bool

    init(_ job: Job, _ parameters: PushParameters, keyPacer: TargetPacer?, replicas: Int) {
        self.parameters = parameters
        self.keyPacer = keyPacer
        self.replicas = max(replicas, 1)
        jobPacer = job.ratePerSecond.map { TargetPacer(perSecond: max(1, $0 / max(replicas, 1))) }
        isPaced = job.ratePerSecond != nil || keyPacer != nil
    }

    /// Clients that are served at a time; nil for a whole chunk.
    var stepMax: Int? { [jobPacer, keyPacer].compactMap { $0?.stepMax }.min() }

    /// Whether this many clients take longer than a second, because of the pace. A step is a tenth of a second's worth.
    func isSlow(for clients: Int) -> Bool { stepMax.map { $0 * 10 < clients } ?? false }

    /// - Throws: when the task is cancelled.
    func waitForTurn(_ count: Int) async throws(CancellationError) {
        try await jobPacer?.waitForTurn(count)
        try await keyPacer?.waitForTurn(count)
    }
}
