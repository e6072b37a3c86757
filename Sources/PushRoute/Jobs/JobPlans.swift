import Common

/// The plans of the jobs in work here, each read from the store once. A specification may be megabytes, so only a few
/// are kept of jobs that have no chunk in work now.
actor JobPlans {
    private static let idleMax = 8

    private let store: any JobStore
    private let registry: any Registry
    private let paces: KeyPaces
    private let limits: Limits
    private var plans: [JobID: JobPlan] = [:]
    /// Least recently used first.
    private var order: [JobID] = []

    init(store: any JobStore, registry: any Registry, paces: KeyPaces, limits: Limits) {
        self.store = store
        self.registry = registry
        self.paces = paces
        self.limits = limits
    }

    /// - Parameter inWork: jobs that have chunks in work.
    /// - Throws: `jobs_unavailable`; `not_found` when it was swept away; what `PushParameters` refuses, which another
    ///   version has written.
    func plan(of id: JobID, inWork: Set<JobID>) async throws(WindfireError) -> JobPlan {
        order.removeAll { $0 == id }
        order.append(id)
        share(id)
        if let plan = plans[id] { return plan }
        let job = try await store.job(id)
        let parameters = try PushParameters(json: try await store.specification(of: id), limits: limits)
        let plan = JobPlan(job, parameters, keyPacer: paces.pacer(of: job.owner), replicas: replicas)
        plans[id] = plan
        dropIdle(inWork)
        return plan
    }

    /// The job's pace is divided anew: a chunk may be in work for minutes while PushRoutes come and go.
    func share(_ id: JobID) { plans[id]?.jobPacer?.share(among: replicas) }

    private var replicas: Int { registry.members(.route).byID.count }

    private func dropIdle(_ inWork: Set<JobID>) {
        let idle = order.dropLast().filter { !inWork.contains($0) }
        for id in idle.dropLast(Self.idleMax) {
            plans[id] = nil
            order.removeAll { $0 == id }
        }
    }
}
