import Common
import HTTPSupport

/// What a scrape of a push server shows. Read from the shards when asked: delivering counts plain numbers.
enum NodeMetrics {
    /// From the arrival of a published batch until it is handed to all its subscribers.
    static func fanOutTime(in registry: PrometheusRegistry) -> @Sendable (Duration) -> Void {
        let histogram = registry.histogram(
            "windfire_topic_fan_out_seconds", help: "From a publish's arrival until all subscribers were handed it.")
        return { histogram.record($0) }
    }

    static func add(to registry: PrometheusRegistry, hub: Hub, entrance: Entrance, reconciler: Reconciler) {
        registry.collect("windfire_sessions_online", help: "Authenticated sessions.") {
            [.init([:], Double(await hub.online()))]
        }
        registry.collect("windfire_sessions_anonymous", help: "Sessions without a token.") {
            [.init([:], Double(await hub.anonymous()))]
        }
        registry.collect("windfire_connections_open", help: "Open device connections.") {
            [.init([:], Double(entrance.openConnections))]
        }
        registry.collect(
            "windfire_connections_refused_total", kind: .counter, help: "Connections refused by admission."
        ) { [.init([:], Double(entrance.refusedConnections))] }
        registry.collect(
            "windfire_proxy_headers_refused_total", kind: .counter,
            help: "Connections of trusted proxies that did not begin with a PROXY header."
        ) { [.init([:], Double(entrance.refusedHeaders))] }
        registry.collect("windfire_logins_total", kind: .counter, help: "Sessions begun.") {
            [.init([:], Double(await hub.counters().logins))]
        }
        registry.collect("windfire_deliveries_total", kind: .counter, help: "Messages by what became of them.") {
            let counters = await hub.counters()
            return [
                .init(["outcome": "written"], Double(counters.written)),
                .init(["outcome": "refused"], Double(counters.refused)),
                .init(["outcome": "gone"], Double(counters.gone)),
            ]
        }
        registry.collect(
            "windfire_outbox_displaced_total", kind: .counter, help: "Waiting messages that gave way to newer ones."
        ) { [.init([:], Double(await hub.counters().displaced))] }
        registry.collect("windfire_acknowledgements_total", kind: .counter, help: "Acknowledgements of devices.") {
            [.init([:], Double(await hub.counters().acknowledgements))]
        }
        registry.collect("windfire_sessions_ended_total", kind: .counter, help: "Ended sessions by reason.") {
            samples(await hub.counters().sessionsEnded)
        }
        registry.collect(
            "windfire_connections_ended_before_login_total", kind: .counter,
            help: "Connections that ended before they were a session, by reason."
        ) { samples(await hub.counters().endedBeforeLogin) }
        registry.collect("windfire_route_difference", help: "What the last comparison with the route store found.") {
            let difference = reconciler.lastDifference
            return [
                .init(["kind": "ghost"], Double(difference.ghosts)),
                .init(["kind": "missing"], Double(difference.missing)),
                .init(["kind": "duplicate"], Double(difference.duplicates)),
            ]
        }
    }

    static func addTopics(to registry: PrometheusRegistry, hub: Hub, topicDesk: TopicDesk) {
        registry.collect("windfire_topics_announced", help: "Topics and patterns that this node has subscribers of.") {
            [.init([:], Double(topicDesk.announcedCount))]
        }
        registry.collect("windfire_topic_subscriptions", help: "Subscriptions of sessions.") {
            [.init([:], Double(await hub.onEach { $0.topics.subscriptionCount }.reduce(0, +)))]
        }
        registry.collect("windfire_topic_messages_total", kind: .counter, help: "Published messages by their fate.") {
            let counters = await hub.intakeCounters()
            return [
                .init(["fate": "taken"], Double(counters.published)),
                .init(["fate": "merged"], Double(counters.merged)),
                .init(["fate": "left_out"], Double(counters.leftOut)),
                .init(["fate": "too_late"], Double(counters.tooLate)),
            ]
        }
    }

    private static func samples(_ ended: [CloseReason: Int]) -> [PrometheusRegistry.Sample] {
        ended.map { reason, count in .init(["reason": reason.name], Double(count)) }
    }
}
