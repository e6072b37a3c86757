import Common
import NodeRPC

/// What the first round of calls left open, and what it settled. Pure.
///
/// A session is open when its node does not have it (`gone`), says that it is another incarnation, or could not be
/// asked. The route may have changed since the look-up, so open sessions are looked up once more; the rest is final.
struct DeliveryRound: Sendable {
    enum Doubt: Hashable, Sendable {
        /// The node answered that the connection is not there.
        case gone
        /// The node did not answer; what became of the message is unknown.
        case unanswered(reason: String)
    }

    struct Open: Hashable, Sendable {
        let session: PlannedSession
        let doubt: Doubt
    }

    private(set) var open: [Open] = []
    /// Sessions with an outcome; read only for targets that have open ones.
    private var settled: [PlannedSession] = []

    /// Enters a node's answer.
    mutating func enter(_ answer: NodeAnswer, for sessions: ArraySlice<PlannedSession>, into ledger: inout PushLedger) {
        switch answer {
        case .outcomes(let outcomes):
            precondition(outcomes.count == sessions.count, "a node answers once per session")
            for (session, outcome) in zip(sessions, outcomes) {
                switch outcome {
                case .written:
                    ledger.delivered(session)
                    settled.append(session)
                case .refused:
                    ledger.failed(session, reason: "outbox_full")
                    settled.append(session)
                case .gone:
                    open.append(Open(session: session, doubt: .gone))
                }
            }
        case .otherIncarnation:
            open += sessions.map { Open(session: $0, doubt: .gone) }
        case .unanswered(let reason):
            open += sessions.map { Open(session: $0, doubt: .unanswered(reason: reason)) }
        }
    }

    /// Targets with open sessions, each once, rising.
    var openTargets: [Int] { Set(open.map(\.session.target)).sorted() }

    /// Every session of this round that concerns the open targets.
    var tried: Set<SessionID> { Set(open.map(\.session.route.session) + openSettled.map(\.route.session)) }

    var settledDevices: Set<TargetDevice> {
        Set(openSettled.map { TargetDevice(target: $0.target, device: $0.route.device) })
    }

    private var openSettled: [PlannedSession] {
        let targets = Set(open.map(\.session.target))
        return settled.filter { targets.contains($0.target) }
    }

    /// After the second look-up: what stays open and has no new route is final.
    mutating func close(except retried: DeliveryPlan, into ledger: inout PushLedger) {
        let again = Set(
            retried.batches.lazy.flatMap(\.sessions).map { TargetDevice(target: $0.target, device: $0.route.device) })
        for entry in open {
            let device = TargetDevice(target: entry.session.target, device: entry.session.route.device)
            guard !again.contains(device), case .unanswered(let reason) = entry.doubt else { continue }
            ledger.failed(entry.session, reason: reason)
        }
        open = []
    }

    /// There is no second look-up, for this reason: what is open counts as failed with its own reason, or with this
    /// one.
    mutating func close(withoutLookup reason: String, into ledger: inout PushLedger) {
        for entry in open {
            switch entry.doubt {
            case .gone: ledger.failed(entry.session, reason: reason)
            case .unanswered(let own): ledger.failed(entry.session, reason: own)
            }
        }
        open = []
    }

    /// No third round: gone is offline, unanswered is failed.
    mutating func closeForGood(into ledger: inout PushLedger) {
        for entry in open {
            guard case .unanswered(let reason) = entry.doubt else { continue }
            ledger.failed(entry.session, reason: reason)
        }
        open = []
    }
}

/// What a node said to one call, or that it said nothing.
enum NodeAnswer: Hashable, Sendable {
    case outcomes([DeliveryOutcome])
    case otherIncarnation
    case unanswered(reason: String)

    init(_ error: WindfireError) {
        self = error.code == .notFound ? .otherIncarnation : .unanswered(reason: error.code.name)
    }
}
