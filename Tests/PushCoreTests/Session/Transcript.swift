import Common
import NIOCore
import PushCore
import Testing

/// One session on paper: what happens at which second after accept. A class, so that a test reads as lines of a story.
final class Transcript {
    static let accepted = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    /// Far enough not to play a part.
    static let tokenEnd = 3600.0

    private var machine: SessionStateMachine

    init(limits: Limits = .default, overflow: Outbox.Policy = .dropOldest) {
        machine = SessionStateMachine(
            rules: SessionRules(limits: limits, overflow: overflow), acceptedAt: Self.accepted)
    }

    /// A session that said hello and was welcomed at second 0.
    static func live(
        limits: Limits = .default, overflow: Outbox.Policy = .dropOldest, tokenEnd: Double = tokenEnd,
        jitter: Double = 0
    ) -> Transcript {
        let transcript = Transcript(limits: limits, overflow: overflow)
        _ = transcript.received(.hello(token: "t", device: nil), at: 0)
        _ = transcript.loginFinished(.granted(Sample.identity, tokenEnd: time(tokenEnd)), at: 0, jitter: jitter)
        return transcript
    }

    static func time(_ seconds: Double) -> NIODeadline {
        accepted + .nanoseconds(Int64((seconds * 1_000_000_000).rounded()))
    }

    func received(_ event: SessionEvent, at seconds: Double) -> SessionStateMachine.EventAction {
        machine.received(event, now: Self.time(seconds))
    }

    func counted(_ events: Int, at seconds: Double) -> SessionStateMachine.ReadAction {
        machine.countReceived(events, now: Self.time(seconds))
    }

    func loginFinished(
        _ outcome: LoginOutcome, at seconds: Double, jitter: Double = 0, liveness: Liveness = .answered
    ) -> SessionStateMachine.LoginAction {
        machine.loginFinished(outcome, now: Self.time(seconds), jitter: jitter, liveness: liveness)
    }

    func delivered(at seconds: Double) { machine.delivered(now: Self.time(seconds)) }

    func renewed(_ identity: SessionIdentity, until seconds: Double) {
        machine.renewed(identity, until: Self.time(seconds))
    }

    func claimed(_ identity: SessionIdentity) {
        #expect(machine.claimed(identity, inbox: .page(.empty), now: Self.accepted) == .nothing)
    }

    /// Claimed with so many messages in the inbox, of the places 1 and on.
    func claimed(_ identity: SessionIdentity, messages: Int) {
        let ids = (1...UInt64(messages)).map { StreamPosition(milliseconds: 5, sequence: $0) }
        let entries = ids.enumerated().map { place, id in
            InboxEntry(id: id, previous: place == 0 ? nil : ids[place - 1], message: .sample("\(id)"))
        }
        let page = InboxPage(messages: entries, isMore: false, trimmed: 0, upTo: ids.last)
        #expect(machine.claimed(identity, inbox: .page(page), now: Self.accepted).send.count == messages)
    }

    func deliver(_ text: String, key: String? = nil, at seconds: Double = 1) -> SessionStateMachine.DeliverAction {
        let isDirect = machine.takesDirectly
        let action = machine.deliver(ByteBuffer(string: text), collapseKey: key, now: Self.time(seconds))
        // The short question and the long one agree, whatever the story.
        #expect(isDirect == (action == .write))
        return action
    }

    func writable(_ isWritable: Bool, buffered: Int = 0, at seconds: Double) {
        machine.writabilityChanged(isWritable, bufferedBytes: buffered, now: Self.time(seconds))
    }

    /// Everything that may be written now.
    func drain() -> [String] {
        var texts: [String] = []
        while let bytes = machine.nextToWrite() { texts.append(String(buffer: bytes)) }
        return texts
    }

    func deadline(at seconds: Double, buffered: Int = 0) -> SessionStateMachine.DeadlineAction {
        machine.deadlineReached(now: Self.time(seconds), bufferedBytes: buffered)
    }

    func close(_ reason: CloseReason, at seconds: Double) -> Ending? {
        machine.close(for: reason, now: Self.time(seconds))
    }

    func connectionClosed() -> SessionIdentity? { machine.connectionClosed() }

    /// In seconds after accept.
    var nextDeadline: Double? {
        machine.nextDeadline.map { Double(($0 - Self.accepted).nanoseconds) / 1_000_000_000 }
    }
}

/// Who the sessions of these tests are.
enum Sample {
    static let identity = identity(epoch: 7)

    static func identity(epoch: UInt64) -> SessionIdentity {
        SessionIdentity(
            client: ClientID(unchecked: "alice"),
            route: Route(
                device: DeviceID(unchecked: "phone"),
                incarnation: Incarnation(node: NodeID(unchecked: "n1"), life: 0xABCD),
                session: SessionID(high: 1, low: 2), epoch: Epoch(epoch)),
            generation: .first, permissions: SessionPermissions(Permissions(send: true)))
    }

    static func ref(_ json: String) -> Reference? { Reference(json: json) }
}
