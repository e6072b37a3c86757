import Common

/// The body of the answer to a push that was carried out at once. Written straight into bytes: for a million targets it
/// is a list of a million names.
package enum PushAnswer {
    /// How long the parts of a push took, as the answer shows them on request.
    package struct Timing: Hashable, Sendable {
        package var parse: Duration
        package var lookup: Duration
        package var delivery: Duration
        package var total: Duration
    }

    package static func json(
        _ receipt: Dispatcher.Receipt, badLines: BadLines? = nil, timing: Timing? = nil
    ) -> [UInt8] {
        let ledger = receipt.ledger
        let counts = ledger.counts
        var writer = JSONWriter(capacity: 256 + 64 * (ledger.keepsRows ? receipt.targets.count : 0))
        writer.beginObject()
        writer.key("id")
        writer.string(receipt.id.description)
        writer.key("total")
        writer.integer(receipt.targets.count)
        writer.key("delivered")
        writer.integer(counts.delivered)
        writer.key("offline")
        writer.integer(counts.offline)
        writer.key("failed")
        writer.integer(counts.failed)
        writer.key("stored")
        writer.integer(counts.stored)
        write(badLines, to: &writer)
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
                writeTarget(target, client, receipt.ledger, to: &writer)
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
                if row.status == .offline { writeStored(target, receipt.ledger, to: &writer) }
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
            writeTarget(target, client, receipt.ledger, to: &writer)
        }
        writer.endArray()
    }

    private static func writeTarget(
        _ target: Int, _ client: ClientID, _ ledger: PushLedger, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("client")
        writer.string(client.text)
        writer.key("status")
        writer.string(ledger.statuses[target].rawValue)
        if ledger.statuses[target] == .offline { writeStored(target, ledger, to: &writer) }
        if let reason = ledger.reasons[target] {
            writer.key("reason")
            writer.string(reason)
        }
        writer.endObject()
    }

    private static func writeStored(_ target: Int, _ ledger: PushLedger, to writer: inout JSONWriter) {
        guard ledger.isStored(target) else { return }
        writer.key("stored")
        writer.boolean(true)
    }

    /// Only when some were left out.
    static func write(_ badLines: BadLines?, to writer: inout JSONWriter) {
        guard let badLines, badLines.count > 0 else { return }
        writer.key("bad_lines")
        writer.beginObject()
        writer.key("count")
        writer.integer(badLines.count)
        writer.key("first")
        writer.beginArray()
        for line in badLines.first { writer.integer(line) }
        writer.endArray()
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
