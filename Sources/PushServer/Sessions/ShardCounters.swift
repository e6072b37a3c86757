import Common

/// What one shard counts. Plain numbers: written on the loop, read there for a scrape.
struct ShardCounters: Sendable {
    var connections = 0
    var logins = 0
    var written = 0
    var refused = 0
    var gone = 0
    /// Messages that gave way in an outbox.
    var displaced = 0
    var acknowledgements = 0
    /// Ended connections by the number of their reason.
    private(set) var ended: [UInt16: Int] = [:]

    mutating func count(_ verdict: DeliveryVerdict) {
        switch verdict {
        case .written: written += 1
        case .refused: refused += 1
        case .gone: gone += 1
        }
    }

    mutating func count(_ reason: CloseReason) { ended[reason.number, default: 0] += 1 }

    mutating func add(_ other: ShardCounters) {
        connections += other.connections
        logins += other.logins
        written += other.written
        refused += other.refused
        gone += other.gone
        displaced += other.displaced
        acknowledgements += other.acknowledgements
        ended.merge(other.ended, uniquingKeysWith: +)
    }
}
