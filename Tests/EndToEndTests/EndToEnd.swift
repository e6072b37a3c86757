import TestKit
import Testing

/// The whole system as it runs in production: two auth, three push-server and two push-route processes on a real
/// ZooKeeper and a real Redis. One cluster serves all tests, one after the other; each test finds it healthy and uses
/// client ids of its own.
@Suite(.serialized, .windfireCluster) struct EndToEnd {}

extension EndToEnd {
    /// Runs the body on the suite's cluster, healed of what earlier tests did. The ends of all logs are printed when
    /// the body throws.
    func onCluster(_ body: (WindfireCluster) async throws -> Void) async throws {
        let cluster = try #require(ClusterTrait.cluster, "the cluster runs")
        do {
            try await cluster.heal()
            try await body(cluster)
        } catch {
            print(cluster.logTails())
            throw error
        }
    }
}

/// Starts the cluster before the first test of a suite, and ends it after the last.
struct ClusterTrait: SuiteTrait, TestScoping {
    @TaskLocal static var cluster: WindfireCluster?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await WindfireCluster()
        do {
            try await Self.$cluster.withValue(cluster) { try await function() }
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }
}

extension Trait where Self == ClusterTrait {
    static var windfireCluster: Self { ClusterTrait() }
}
