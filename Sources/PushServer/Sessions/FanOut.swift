import Common
import NIOCore
import NodeRPC
import PushCore

/// One message on its way to the sessions of one shard, and how far it is. Each shard encodes for itself: the bytes'
/// reference count then stays in the cache of one core.
struct FanOut {
    /// One session and its place in the caller's list.
    struct Target: Sendable {
        let index: Int
        let session: SessionID
    }

    /// What became of one target.
    struct Result: Sendable {
        let index: Int
        let verdict: DeliveryVerdict
    }

    private var message: EncodedMessage
    private let targets: [Target]
    /// By the targets' index: where a stored message lies. Empty for a live one.
    private let places: [StoredPlace]
    /// The call may be repeated: each session gets a live message once.
    let isChunk: Bool
    private var results: [Result] = []
    private let promise: EventLoopPromise<[Result]>

    /// - Parameter promise: gets one result per target, in their order.
    init(_ message: Message, of delivery: Delivery, to targets: [Target], promise: EventLoopPromise<[Result]>) {
        self.message = EncodedMessage(message)
        self.targets = targets
        places = delivery.places
        isChunk = delivery.isChunk
        self.promise = promise
        results.reserveCapacity(targets.count)
    }

    var isServed: Bool { results.count == targets.count }

    /// Serves at most so many of the next targets.
    /// - Returns: how many it were.
    mutating func serve(
        _ countMax: Int, _ deliver: (SessionID, StoredPlace?, inout EncodedMessage) -> DeliveryVerdict
    ) -> Int {
        let start = results.count
        let end = min(start + countMax, targets.count)
        for target in targets[start..<end] {
            let place = places.isEmpty ? nil : places[target.index]
            results.append(Result(index: target.index, verdict: deliver(target.session, place, &message)))
        }
        return end - start
    }

    func answer() { promise.succeed(results) }
}
