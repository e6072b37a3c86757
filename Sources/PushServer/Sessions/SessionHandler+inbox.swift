// Stored messages: what `InboxFlow` says is to be done, is done here.

import Common
import NIOCore
import PushCore

extension SessionHandler {
    /// A message was stored at a place in this client's inbox.
    func deliver(_ message: Message, at place: StoredPlace, now: NIODeadline) -> DeliveryVerdict {
        guard encoding != nil else { return .gone }
        switch machine.stored(at: place.position, after: place.previous, now: now) {
        case .send:
            writeNow(encode(.message(message.stored(at: place.position))))
            shard.schedule(self)
        case .waits: perform(machine.proceedInbox(now: now))
        case .duplicate: break
        case nil: return .gone
        }
        return .written
    }

    /// The store's answer to a read; nil when it did not answer.
    func received(_ page: InboxPage?) {
        let now = NIODeadline.now()
        if let page { return perform(machine.received(page, now: now)) }
        machine.readFailed(now: now)
        shard.schedule(self)
    }

    /// The client's inbox ends here.
    func inboxReaches(_ head: StreamPosition) { perform(machine.inboxReaches(head, now: .now())) }

    func perform(_ step: InboxFlow.Step) {
        guard step != .nothing, let identity else { return }
        if let missed = step.gap { send(.gap(missed: missed)) }
        for message in step.send { send(.message(message)) }
        if let position = step.acknowledge { shard.acknowledge(identity, upTo: position) }
        if let position = step.read { shard.readInbox(self, identity, after: position) }
        shard.schedule(self)
    }
}
