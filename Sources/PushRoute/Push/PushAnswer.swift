import Common

/// The body of a push's answer. Written straight into bytes: for a million targets it is a list of a million names.
package enum PushAnswer {
    /// How long the parts of a push took, as the answer shows them on request.
    package struct Timing: Hashable, Sendable {
        package var parse: Duration
        package var lookup: Duration
        package var delivery: Duration
        package var total: Duration
    }

    package static func json(_ receipt: Dispatcher.Receipt, timing: Timing?) -> [UInt8] {
        let ledger = receipt.ledger
        let counts = ledger.counts
        var writer = JSONWriter(capacity: 256 + 64 * (ledger.keepsRows ? receipt.targets.count : 0))
        writer.beginObject()
        writer.key("id")
        writer.string(receipt.message.text)
        writer.key("total")
        writer.integer(receipt.targets.count)
        writer.key("delivered")
        writer.integer(counts.delivered)
        writer.key("offline")
        writer.integer(counts.offline)
        writer.key("failed")
        writer.integer(counts.failed)
        writer.key("stored")
        writer.integer(0)
        if ledger.keepsRows {
            writer.key("results")
            writeResults(receipt, to: &writer)
        } else {
            writer.key("undelivered")
            writeUndelivered(receipt, to: &writer)
        }
        if let timing {
            writer.key("timing_ms")
            write(timing, to: &writer)
        }
        writer.endObject()
        return writer.bytes
    }

    /// One row per device that was tried, one per client that has none.
    private static func writeResults(_ receipt: Dispatcher.Receipt, to writer: inout JSONWriter) {
        writer.beginArray()
        for (target, client) in receipt.targets.enumerated() {
            guard let rows = receipt.ledger.rows[target] else {
                writeTarget(client, .offline, nil, to: &writer)
                continue
            }
            for row in rows {
                writer.beginObject()
                writer.key("client")
                writer.string(client.text)
                writer.key("device")
                writer.string(row.device.text)
                writer.key("status")
                writer.string(row.status.rawValue)
                writer.key("node")
                writer.string(row.node.text)
                if let reason = row.reason {
                    writer.key("reason")
                    writer.string(reason)
                }
                writer.endObject()
            }
        }
        writer.endArray()
    }

    private static func writeUndelivered(_ receipt: Dispatcher.Receipt, to writer: inout JSONWriter) {
        writer.beginArray()
        for (target, client) in receipt.targets.enumerated() where receipt.ledger.statuses[target] != .delivered {
            writeTarget(client, receipt.ledger.statuses[target], receipt.ledger.reasons[target], to: &writer)
        }
        writer.endArray()
    }

    private static func writeTarget(
        _ client: ClientID, _ status: PushLedger.Status, _ reason: String?, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("client")
        writer.string(client.text)
        writer.key("status")
        writer.string(status.rawValue)
        if let reason {
            writer.key("reason")
            writer.string(reason)
        }
        writer.endObject()
    }

    /// Milliseconds with three decimals.
    private static func write(_ timing: Timing, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("parse")
        writer.number(timing.parse.milliseconds)
        writer.key("lookup")
        writer.number(timing.lookup.milliseconds)
        writer.key("grpc")
        writer.number(timing.delivery.milliseconds)
        writer.key("total")
        writer.number(timing.total.milliseconds)
        writer.endObject()
    }
}

extension Duration {
    /// Rounded to microseconds.
    fileprivate var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1_000 + Double(attoseconds / 1_000_000_000_000) / 1_000
    }
}
