// Live messages on their way to a device: written as they come, or kept in its outbox while the connection takes none.

import NIOCore
import PushCore

extension SessionHandler {
    /// What many sessions are told, encoded once for all. The hot path: nothing is allocated here, and in the usual
    /// case nothing is touched but this object and the kernel's socket.
    /// - Parameter isOnly: no other message waits for this shard: the bytes leave at once, in one pass.
    func deliver(_ shared: inout SharedEncoding, isOnly: Bool, now: NIODeadline) -> DeliveryVerdict {
        guard let encoding else { return .gone }
        let bytes = shared.bytes(in: encoding) { encode($0, into: &$1) }
        if machine.takesDirectly {
            if isOnly { writeNow(bytes) } else { write(bytes) }
            noteDelivery(now)
            return .written
        }
        switch machine.deliver(bytes, collapseKey: shared.collapseKey, now: now) {
        case .write:
            write(bytes)
            noteDelivery(now)
            return .written
        case .queued(let displaced):
            shard.counters.displaced += displaced
            noteDelivery(now)
            return .written
        case .refused: return .refused
        case .end(let ending):
            end(ending)
            return .refused
        case .gone: return .gone
        }
    }

    /// Where the next ping counts from deliveries.
    @inline(__always)
    private func noteDelivery(_ now: NIODeadline) {
        guard traits.liveness == .afterDelivery else { return }
        machine.delivered(now: now)
        shard.schedule(self)
    }
}
