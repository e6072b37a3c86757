import Common
import Logging
import ServiceLifecycle

/// Keeps the jobs in order: speaks for the lists that are being read here, brings in acknowledgements, ends jobs whose
/// receiver died, and deletes old ones. The last three are done by the one PushRoute that holds the lease; twice
/// would do no harm.
package struct JobKeeper: Service {
    package struct Configuration: Sendable {
        /// How long jobs and their receipts are kept after their end.
        package var kept: Duration = .seconds(7 * 86_400)
        /// Time between two looks.
        package var interval: Duration = .seconds(10)
        /// How long a list's receiver may say nothing.
        package var silenceMax: Duration = .seconds(60)

        package init() {}
    }

    /// Three looks: when the holder dies, another takes over after that.
    private static let leaseTime: Duration = .seconds(30)
    /// Newest jobs whose acknowledgements are brought in without being asked for.
    private static let acknowledgedMax = JobLimits.jobsPerPageMax
    /// Deletions in a row, so that nobody waits long for the store.
    private static let sweepsMax = 20

    let holder: Incarnation
    let store: any JobStore
    let routes: any RouteStore
    let open: OpenJobs
    let acknowledgements: JobAcknowledgements
    let configuration: Configuration
    let logger: Logger
    /// Unix milliseconds.
    var now: @Sendable () -> UInt64 = WallClock.milliseconds

    /// Looks again and again, until shut down or cancelled.
    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.touch()
                do throws(WindfireError) {
                    try await self.look()
                } catch {
                    self.logger.debug("Could not look after jobs", metadata: [Logger.Metadata.Key.error: "\(error)"])
                }
                try? await Task.sleep(for: self.configuration.interval)
            }
        }
    }

    /// Says that the lists are still being read.
    func touch() async {
        for id in open.all {
            do throws(WindfireError) {
                try await store.touch(id)
            } catch {
                // Its reader finds out with the next chunk; there is nothing to speak for any more.
                if error.code == .conflict || error.code == .notFound { open.close(id) }
            }
        }
    }

    /// - Throws: `routes_unavailable`, `jobs_unavailable`.
    func look() async throws(WindfireError) {
        guard try await routes.acquireLease("jobs", holder: holder, for: Self.leaseTime) else { return }
        _ = await acknowledgements.refresh(try await store.jobs(after: nil, limit: Self.acknowledgedMax))
        let kept = JobClock.milliseconds(configuration.kept)
        let time = now()
        for _ in 0..<Self.sweepsMax {
            let swept = try await store.sweep(
                finishedBefore: time > kept ? time - kept : 0, silence: configuration.silenceMax)
            if swept.jobsFailed > 0 {
                logger.notice(
                    "Jobs failed because nobody read their lists any more",
                    metadata: [Logger.Metadata.Key.count: "\(swept.jobsFailed)"])
            }
            guard swept.hasMore else { return }
        }
    }
}
