import PushCore

/// For each subscriber of a shard, whether a run of messages may go straight to its socket, and to which: eight bytes
/// in the order of the slots. So a fan-out reads one small table from front to end, and of the sessions themselves,
/// cold in the cache as they are, it touches none that is simply there and takes what it is sent.
///
/// A way is opened by a delivery that the session itself has seen through, and closed by everything that makes the next
/// one less simple: bytes that wait in the channel, a join, the end. Whoever is not sure closes it; the next delivery
/// asks the session again.
struct DirectWays {
    struct Way {
        let socket: DirectSocket
        let encoding: EncodingKey
        fileprivate let generation: UInt8
        fileprivate let isOpen: Bool

        fileprivate static let closed = Way(socket: .none, encoding: .json, generation: 0, isOpen: false)
    }

    private var ways: [Way] = []

    subscript(slot: SubscriberSlot) -> Way? {
        guard slot.place < ways.count else { return nil }
        let way = ways[slot.place]
        return way.isOpen && way.generation == slot.generation ? way : nil
    }

    mutating func open(_ slot: SubscriberSlot, _ socket: DirectSocket, _ encoding: EncodingKey) {
        while ways.count <= slot.place { ways.append(.closed) }
        ways[slot.place] = Way(socket: socket, encoding: encoding, generation: slot.generation, isOpen: true)
    }

    mutating func close(_ slot: SubscriberSlot) {
        guard slot.place < ways.count else { return }
        ways[slot.place] = .closed
    }
}
