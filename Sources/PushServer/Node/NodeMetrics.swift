import Common
import HTTPSupport

/// What a scrape of a push server shows. Read from the shards when asked: delivering counts plain numbers.
enum NodeMetrics {
    static func add(to registry: PrometheusRegistry, hub: Hub, listener: DeviceListener, reconciler: Reconciler) {
        registry.collect("windfire_sessions_online", help: "Authenticated sessions.") {
            [.init([:], Double(await hub.online()))]
        }
        registry.collect("windfire_connections_open", help: "Open device connections.") {
            [.init([:], Double(listener.openConnections))]
        }
        registry.collect(
            "windfire_connections_refused_total", kind: .counter, help: "Connections refused by admission."
        ) { [.init([:], Double(listener.refusedConnections))] }
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
        registry.collect("windfire_sessions_ended_total", kind: .counter, help: "Ended connections by reason.") {
            await hub.counters().ended.map { number, count in
                .init(["reason": CloseReason(number: number)?.name ?? "\(number)"], Double(count))
            }
        }
        registry.collect("windfire_route_difference", help: "What the last comparison with the route store found.") {
            let difference = reconciler.lastDifference
            return [
                .init(["kind": "ghost"], Double(difference.ghosts)),
                .init(["kind": "missing"], Double(difference.missing)),
                .init(["kind": "duplicate"], Double(difference.duplicates)),
            ]
        }
    }
}
