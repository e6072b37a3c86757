import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The node's beat: every 2 s it writes its load, says that its incarnation lives, and closes the sessions of clients
/// whose tokens were revoked. It also notices when the route store goes and comes back.
final class NodeReporter: Service {
    private let hub: Hub
    private let routes: any RouteStore
    private let reconciler: Reconciler
    private let interval: Duration
    /// Unix milliseconds.
    private let clock: @Sendable () -> UInt64
    private let logger: Logger
    private let isStoreReachable = NIOLockedValueBox(true)

    init(
        hub: Hub, routes: any RouteStore, reconciler: Reconciler, interval: Duration = .seconds(2),
        clock: @escaping @Sendable () -> UInt64, logger: Logger
    ) {
        self.hub = hub
        self.routes = routes
        self.reconciler = reconciler
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// Whether the last beat reached the route store.
    var storeAnswers: Bool { isStoreReachable.withLockedValue { $0 } }

    func run() async throws {
        try? await cancelWhenGracefulShutdown { [self] in
            var cursor = RevocationCursor.start
            var processor = ProcessorTime.now()
            while true {
                try await Task.sleep(for: interval)
                let load = await load(since: &processor)
                do throws(WindfireError) {
                    try await beat(load, &cursor)
                    if !isStoreReachable.exchange(true) {
                        logger.notice("route store answers again")
                        reconciler.compareSoon()
                    }
                } catch {
                    if isStoreReachable.exchange(false) {
                        logger.warning(
                            "route store does not answer", metadata: [Logger.Metadata.Key.error: "\(error)"])
                    }
                }
            }
        }
    }

    private func beat(_ load: NodeLoad, _ cursor: inout RevocationCursor) async throws(WindfireError) {
        try await routes.announce(hub.incarnation)
        try await routes.reportLoad(load)
        let page = try await routes.revocations(since: cursor)
        cursor = page.next
        guard !page.revoked.isEmpty else { return }
        await hub.onEach { $0.closeRevoked(page.revoked) }
    }

    private func load(since last: inout ProcessorTime) async -> NodeLoad {
        let now = ProcessorTime.now()
        let lag = await hub.onEach { $0.takeWorstLag() }.max() ?? .zero
        defer { last = now }
        return NodeLoad(
            incarnation: hub.incarnation, online: await hub.online(),
            cpu: now.share(since: last, cores: hub.shards.count),
            loopLagMilliseconds: max(0, Double(lag.nanoseconds) / 1e6), at: clock())
    }
}

#if canImport(Glibc)
    /// getrusage(2).
    private let wholeProcess = Int32(Glibc.RUSAGE_SELF.rawValue)
#else
    private let wholeProcess = Darwin.RUSAGE_SELF
#endif

/// How much processor time this process had, and when that was read.
private struct ProcessorTime {
    let used: Double
    let at: ContinuousClock.Instant

    static func now() -> ProcessorTime {
        var usage = rusage()
        getrusage(wholeProcess, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return ProcessorTime(used: seconds(usage.ru_utime) + seconds(usage.ru_stime), at: .now)
    }

    /// Of so many cores, 0…1.
    func share(since earlier: ProcessorTime, cores: Int) -> Double {
        let elapsed =
            Double((at - earlier.at).components.seconds) + Double((at - earlier.at).components.attoseconds) / 1e18
        guard elapsed > 0 else { return 0 }
        return min(1, max(0, (used - earlier.used) / elapsed / Double(cores)))
    }
}

extension NIOLockedValueBox<Bool> {
    /// Sets a new value and gives the old one.
    fileprivate func exchange(_ value: Bool) -> Bool {
        withLockedValue { stored in
            defer { stored = value }
            return stored
        }
    }
}
