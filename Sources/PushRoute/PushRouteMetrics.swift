import Common
import HTTPSupport
import NodeRPC

/// The figures of this role, looked up once.
package struct PushRouteMetrics: Sendable {
    private let registry: PrometheusRegistry
    private let delivered: PrometheusCounter
    private let offline: PrometheusCounter
    private let failed: PrometheusCounter
    private let stored: PrometheusCounter
    private let skipped: PrometheusCounter
    private let messages: (complete: PrometheusCounter, incomplete: PrometheusCounter, failed: PrometheusCounter)
    private let handed: PrometheusCounter
    private let refusedSessions: PrometheusCounter
    private let publish: PrometheusHistogram
    private let parse: PrometheusHistogram
    private let lookup: PrometheusHistogram
    private let delivery: PrometheusHistogram
    private let total: PrometheusHistogram
    let buriedIncarnations: PrometheusCounter
    let buriedRoutes: PrometheusCounter

    package init(_ registry: PrometheusRegistry) {
        self.registry = registry
        func targets(_ outcome: String) -> PrometheusCounter {
            registry.counter(
                "windfire_push_targets_total", help: "Targets of pushes, by what became of them.",
                labels: ["outcome": outcome])
        }
        func phase(_ name: String) -> PrometheusHistogram {
            registry.histogram(
                "windfire_push_phase_seconds", help: "Time spent on the parts of a push.", labels: ["phase": name])
        }
        delivered = targets("delivered")
        offline = targets("offline")
        failed = targets("failed")
        stored = registry.counter(
            "windfire_push_stored_total", help: "Targets that were offline and whose message waits in the inbox.")
        skipped = registry.counter(
            "windfire_push_skipped_lines_total", help: "Lines of lists that were no ids and were left out.")
        func topicMessages(_ outcome: String) -> PrometheusCounter {
            registry.counter(
                "windfire_topic_messages_total",
                help: "Messages published to topics or everyone here, by how many of the nodes took them.",
                labels: ["outcome": outcome])
        }
        messages = (topicMessages("complete"), topicMessages("incomplete"), topicMessages("failed"))
        handed = registry.counter(
            "windfire_topic_deliveries_total", help: "Sessions that messages published here were handed to.")
        refusedSessions = registry.counter(
            "windfire_topic_refusals_total", help: "Sessions whose outbox had no room for a message published here.")
        publish = registry.histogram(
            "windfire_publish_seconds", help: "From the call of a push to topics or everyone to its answer.")
        parse = phase("parse")
        lookup = phase("lookup")
        delivery = phase("grpc")
        total = phase("total")
        buriedIncarnations = registry.counter(
            "windfire_buried_incarnations_total", help: "Incarnations that were gone and whose routes were removed.")
        buriedRoutes = registry.counter(
            "windfire_buried_routes_total", help: "Routes removed because their incarnation was gone.")
    }

    func pushed(_ counts: PushLedger.Counts, _ timing: PushAnswer.Timing) {
        answered("answered")
        delivered.increment(by: Int64(counts.delivered))
        offline.increment(by: Int64(counts.offline))
        failed.increment(by: Int64(counts.failed))
        stored.increment(by: Int64(counts.stored))
        parse.record(timing.parse)
        lookup.record(timing.lookup)
        delivery.record(timing.delivery)
        total.record(timing.total)
    }

    func published(_ receipt: TopicPush.Receipt, in time: Duration) {
        answered("answered")
        publish.record(time)
        for message in receipt.rows.joined() {
            switch message.outcome {
            case .failure: messages.failed.increment()
            case .success(let receipt):
                (receipt.failedNodes.isEmpty ? messages.complete : messages.incomplete).increment()
                handed.increment(by: Int64(receipt.delivered))
                refusedSessions.increment(by: Int64(receipt.refused))
            }
        }
    }

    /// Shows what a publisher has on its way.
    func watch(_ publisher: TopicPublisher) {
        registry.collect(
            "windfire_publisher_waiting_messages", help: "Published messages that are on their way to nodes."
        ) { [PrometheusRegistry.Sample([:], Double(publisher.figures.waiting))] }
        registry.collect(
            "windfire_publisher_lookups_total", kind: .counter,
            help: "Look-ups of topics; one may be for many messages."
        ) { [PrometheusRegistry.Sample([:], Double(publisher.figures.lookups))] }
        registry.collect(
            "windfire_publisher_calls_total", kind: .counter, help: "Calls of nodes with published messages."
        ) { [PrometheusRegistry.Sample([:], Double(publisher.figures.calls))] }
    }

    /// A chunk of a job was served.
    func targets(_ counts: JobCounts) {
        delivered.increment(by: Int64(counts.delivered))
        offline.increment(by: Int64(counts.offline))
        failed.increment(by: Int64(counts.failed))
        stored.increment(by: Int64(counts.stored))
    }

    /// - Parameter outcome: a constant: `done`, `lost`, `put_off`, `given_up`, `given_back` or `let_go`.
    func chunk(_ outcome: StaticString) {
        registry.counter(
            "windfire_job_chunks_total", help: "Chunks of jobs, by what became of the work on them here.",
            labels: ["outcome": "\(outcome)"]
        ).increment()
    }

    /// - Parameter outcome: a constant: `answered`, `job` or `duplicate`.
    func answered(_ outcome: StaticString) { pushes("\(outcome)").increment() }

    func skippedLines(_ count: Int) { skipped.increment(by: Int64(count)) }

    /// - Parameter code: one of the table, so that the label is bounded.
    func refused(_ code: FailureCode) { pushes(code.name).increment() }

    private func pushes(_ outcome: String) -> PrometheusCounter {
        registry.counter(
            "windfire_pushes_total", help: "Pushes, by how they were answered.", labels: ["outcome": outcome])
    }
}
