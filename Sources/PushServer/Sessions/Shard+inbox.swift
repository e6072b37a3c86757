// Stored messages of a shard's sessions: what is read and acknowledged away from the loop.

import Common
import NIOCore
import PushCore

extension Shard {
    /// How long acknowledgements wait for company: those of a moment travel together. A device that acknowledges each
    /// message of a long inbox then costs Redis about one call for 60 of them.
    private static let acknowledgementDelay: TimeAmount = .milliseconds(50)

    func readInbox(_ handler: SessionHandler, _ identity: SessionIdentity, after position: StreamPosition) {
        let handler = NIOLoopBound(handler, eventLoop: loop)
        Task { [self] in
            let page = await inboxes.read(identity, after: position)
            loop.execute { handler.value.received(page) }
        }
    }

    func acknowledge(_ identity: SessionIdentity, upTo position: StreamPosition) {
        let isFirst = acknowledgements.isEmpty
        acknowledgements.note(
            Acknowledgement(client: identity.client, device: identity.route.device, upTo: position),
            of: identity.session)
        if isFirst { tellAcknowledgements(in: Self.acknowledgementDelay) }
    }

    private func tellAcknowledgements(in delay: TimeAmount) {
        loop.scheduleTask(in: delay) { [self] in
            guard let batch = acknowledgements.take() else { return }
            Task {
                let failed = await inboxes.acknowledge(batch.map(\.acknowledgement))
                loop.execute { [self] in
                    acknowledgements.finish(failed: failed.map { batch[$0] })
                    guard !acknowledgements.isEmpty else { return }
                    tellAcknowledgements(in: failed.isEmpty ? Self.acknowledgementDelay : .seconds(1))
                }
            }
        }
    }

    func claimedIdentities() -> [SessionIdentity] {
        sessions.values.compactMap { handler in
            handler.identity.flatMap { $0.route.epoch != .none && handler.machine.takesInbox ? $0 : nil }
        }
    }

    func reach(_ session: SessionID, _ head: StreamPosition) { sessions[session]?.inboxReaches(head) }
}
