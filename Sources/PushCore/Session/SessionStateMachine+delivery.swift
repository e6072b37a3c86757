// Live messages on their way to the device: written as they come, or kept in the outbox while the connection takes
// none.

import Common
import NIOCore

extension SessionStateMachine {
    package enum DeliverAction: Equatable {
        case write
        /// It waits in the outbox; so many older messages gave way.
        case queued(displaced: Int)
        case refused
        case end(Ending)
        /// Not a session any more.
        case gone
    }

    /// Whether a message may be written as it comes: live, taking bytes, and nothing waiting before it. Then `deliver`
    /// would say `.write`; asked first, because a fan-out asks thousands of sessions and nearly all say yes.
    package var takesDirectly: Bool {
        switch state {
        case .live(let session): session.takesBytes
        default: false
        }
    }

    /// Whether stored messages are for this session.
    package var takesInbox: Bool {
        switch state {
        case .live(let session): session.takesInbox
        default: false
        }
    }

    package mutating func deliver(_ bytes: ByteBuffer, collapseKey: String?, now: NIODeadline) -> DeliverAction {
        let bounds = rules.outbox
        let offer: Outbox.Offer?? = withLive { session in
            if session.takesBytes { return nil }
            return session.outbox.offer(bytes, collapseKey: collapseKey, bounds: bounds)
        }
        switch offer {
        case nil: return .gone
        case .some(nil): return .write
        case .queued(let displaced): return .queued(displaced: displaced)
        case .refused: return .refused
        case .overflow: return .end(end(for: .slowConsumer, now: now))
        }
    }

    /// Something was handed over to the device. Only sessions that are pinged after deliveries need to hear of it.
    package mutating func delivered(now: NIODeadline) {
        let rules = rules
        withLive { $0.delivered(at: now, rules: rules) }
    }

    /// The connection takes bytes again, or no more.
    package mutating func writabilityChanged(_ isWritable: Bool, bufferedBytes: Int, now: NIODeadline) {
        let rules = rules
        withLive { $0.writabilityChanged(isWritable, bufferedBytes: bufferedBytes, now: now, rules: rules) }
    }

    /// The oldest waiting message, while the connection takes bytes.
    package mutating func nextToWrite() -> ByteBuffer? {
        withLive { $0.isWritable ? $0.outbox.takeNext() : nil } ?? nil
    }
}
