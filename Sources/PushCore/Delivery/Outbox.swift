import Common
import DequeModule
import NIOCore

/// What waits for one slow connection while the kernel takes no more. Bounded by messages and by bytes, whichever comes
/// first; when it is full its policy decides. Empty it allocates nothing, which is what an idle session has.
package struct Outbox {
    /// What happens to a message that finds the outbox full.
    package enum Policy: String, Sendable, CaseIterable {
        /// The oldest waiting messages make room.
        case dropOldest = "drop-oldest"
        /// A waiting message with the same collapse key is replaced by the newer one, full or not. Without a match in
        /// a full outbox the new message is refused.
        case collapse
        /// The connection ends with `slow_consumer`: the device comes back and catches up.
        case disconnect
    }

    /// The bounds that all outboxes of a node share.
    package struct Bounds: Equatable, Sendable {
        package let policy: Policy
        package let messagesMax: Int
        package let bytesMax: Int

        package init(policy: Policy, messagesMax: Int, bytesMax: Int) {
            precondition(messagesMax > 0 && bytesMax > 0, "an outbox holds at least something")
            self.policy = policy
            self.messagesMax = messagesMax
            self.bytesMax = bytesMax
        }
    }

    package enum Offer: Equatable {
        /// The message waits; so many older ones were dropped or replaced for it.
        case queued(displaced: Int)
        case refused
        case overflow
    }

    private struct Entry {
        let bytes: ByteBuffer
        let collapseKey: String?
    }

    private var entries: Deque<Entry> = []
    package private(set) var byteCount = 0

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Adds encoded bytes at the end, as far as bounds and policy allow. A message larger than the whole outbox is
    /// refused by every policy but `.disconnect`.
    package mutating func offer(_ bytes: ByteBuffer, collapseKey: String?, bounds: Bounds) -> Offer {
        let size = bytes.readableBytes
        var displaced = 0
        if bounds.policy == .collapse, let collapseKey,
            let place = entries.firstIndex(where: { $0.collapseKey == collapseKey })
        {
            let replaced = entries[place].bytes.readableBytes
            // A newer one that does not fit leaves the older one where it is: better stale than none.
            guard byteCount - replaced + size <= bounds.bytesMax else { return .refused }
            // The newer one goes to the end: what was pushed in between keeps its order to it.
            entries.remove(at: place)
            byteCount -= replaced
            displaced += 1
        }
        if hasNoRoom(for: size, bounds) {
            switch bounds.policy {
            case .disconnect: return .overflow
            case .collapse: return .refused
            case .dropOldest:
                guard size <= bounds.bytesMax else { return .refused }
                while hasNoRoom(for: size, bounds), let oldest = entries.popFirst() {
                    byteCount -= oldest.bytes.readableBytes
                    displaced += 1
                }
            }
        }
        entries.append(Entry(bytes: bytes, collapseKey: collapseKey))
        byteCount += size
        return .queued(displaced: displaced)
    }

    /// Takes the oldest message. The storage is given back with the last one.
    package mutating func takeNext() -> ByteBuffer? {
        guard let entry = entries.popFirst() else { return nil }
        byteCount -= entry.bytes.readableBytes
        if entries.isEmpty { entries = [] }
        return entry.bytes
    }

    private func hasNoRoom(for size: Int, _ bounds: Bounds) -> Bool {
        entries.count >= bounds.messagesMax || byteCount + size > bounds.bytesMax
    }
}
