import Common
import HTTPSupport
import Logging

/// All that a PushRoute has to do with jobs, on one store.
struct Jobs: Sendable {
    let receiver: JobReceiver
    let runner: JobRunner
    let keeper: JobKeeper
    let endpoints: JobEndpoints
    /// Not essential: small pushes go on without the store, and large ones are refused by name. Replicas share a store,
    /// so that a balancer would lose them all at once.
    let readiness: ReadinessCheck

    init(
        store: any JobStore, configuration: PushRouteConfiguration, registry: any Registry,
        routes: any RouteStore & InboxStore, dispatcher: Dispatcher, metrics: PushRouteMetrics, logger: Logger
    ) {
        let (bell, open) = (JobBell(), OpenJobs())
        let holder = configuration.incarnation
        let acknowledgements = JobAcknowledgements(store: store, inboxes: routes)
        receiver = JobReceiver(
            store: store, receiver: holder, open: open, bell: bell, limits: configuration.limits)
        runner = JobRunner(
            holder: holder, store: store, dispatcher: dispatcher, registry: registry, paces: configuration.paces,
            bell: bell, configuration: configuration.runner, limits: configuration.limits, metrics: metrics,
            logger: logger)
        keeper = JobKeeper(
            holder: holder, store: store, routes: routes, open: open, acknowledgements: acknowledgements,
            configuration: configuration.keeper, logger: logger)
        endpoints = JobEndpoints(
            desk: JobDesk(
                store: store, receiver: receiver, acknowledgements: acknowledgements, limits: configuration.limits),
            watchers: JobWatchers())
        readiness = ReadinessCheck("jobs", isEssential: false) { [runner] in
            // A full disk can still be read.
            if let problem = await runner.storeProblem { return problem }
            do throws(WindfireError) {
                _ = try await store.jobs(after: nil, limit: 1)
                return nil
            } catch {
                return error.message
            }
        }
    }
}
