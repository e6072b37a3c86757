import Common
import NIOCore
import NodeRPC
import PushCore

/// Something on its way to many sessions of one shard, and how far it is. Each shard encodes for itself: the bytes'
/// reference count then stays in the cache of one core.
enum FanOut {
    case list(ListFanOut)
    /// What waits for the subscribers of a topic; it is taken when its turn has come.
    case topic(Topic)
    case run(TopicFanOut)
    case everyone(EveryoneFanOut)
}

/// One message for the sessions of a list.
struct ListFanOut {
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

    private let message: Message
    private var encoding: SharedEncoding
    private let targets: [Target]
    /// By the targets' index: where a stored message lies. Empty for a live one.
    private let places: [StoredPlace]
    /// The call may be repeated: each session gets a live message once.
    let isChunk: Bool
    private var results: [Result] = []
    private let promise: EventLoopPromise<[Result]>

    /// - Parameter promise: gets one result per target, in their order.
    init(_ message: Message, of delivery: Delivery, to targets: [Target], promise: EventLoopPromise<[Result]>) {
        self.message = message
        encoding = SharedEncoding(message)
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
        _ countMax: Int, _ deliver: (SessionID, StoredPlace?, Message, inout SharedEncoding) -> DeliveryVerdict
    ) -> Int {
        let start = results.count
        let end = min(start + countMax, targets.count)
        for target in targets[start..<end] {
            let place = places.isEmpty ? nil : places[target.index]
            results.append(
                Result(index: target.index, verdict: deliver(target.session, place, message, &encoding)))
        }
        return end - start
    }

    func answer() { promise.succeed(results) }
}
