import Common
import PushCore

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
    private(set) var sessionsEnded: [CloseReason: Int] = [:]
    /// Connections that were no session yet, or were refused one: strangers, probes, bad tokens, devices that lost
    /// their network on the way in. Apart, so that they do not hide why sessions end.
    private(set) var endedBeforeLogin: [CloseReason: Int] = [:]

    /// - Parameter messages: a session may be handed several at once.
    mutating func count(_ verdict: DeliveryVerdict, _ messages: Int) {
        switch verdict {
        case .written: written += messages
        case .refused: refused += messages
        case .gone: gone += messages
        }
    }

    mutating func count(_ ending: Ending) {
        if ending.identity == nil {
            endedBeforeLogin[ending.reason, default: 0] += 1
        } else {
            sessionsEnded[ending.reason, default: 0] += 1
        }
    }

    mutating func add(_ other: ShardCounters) {
        connections += other.connections
        logins += other.logins
        written += other.written
        refused += other.refused
        gone += other.gone
        displaced += other.displaced
        acknowledgements += other.acknowledgements
        sessionsEnded.merge(other.sessionsEnded, uniquingKeysWith: +)
        endedBeforeLogin.merge(other.endedBeforeLogin, uniquingKeysWith: +)
    }
}
