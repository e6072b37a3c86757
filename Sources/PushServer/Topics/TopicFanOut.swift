import Common
import NIOCore
import NodeRPC
import PushCore

/// A run of messages of one topic on its way to the subscribers that it has now.
struct TopicFanOut {
    let topic: Topic
    let published: [Published]
    private let audience: TopicAudience
    private var encoding: SharedEncoding
    /// Of the shard when it began: who has unsubscribed from anything since is asked about.
    let unsubscribes: UInt32
    private var next = 0
    private var outcome = PublishOutcome.none

    init(_ topic: Topic, _ published: [Published], to audience: TopicAudience, unsubscribes: UInt32) {
        self.topic = topic
        self.published = published
        self.audience = audience
        self.unsubscribes = unsubscribes
        encoding = SharedEncoding(published.map(\.command))
    }

    var isServed: Bool { next == audience.count }

    /// Serves at most so many of the next subscribers.
    /// - Parameter deliver: nil for one that is none any more.
    /// - Returns: how many it were.
    mutating func serve(
        _ countMax: Int, _ deliver: (SubscriberSlot, inout SharedEncoding) -> DeliveryVerdict?
    ) -> Int {
        let start = next
        let end = min(start + countMax, audience.count)
        while next < end {
            switch deliver(audience[next], &encoding) {
            case .written: outcome.delivered += 1
            case .refused: outcome.refused += 1
            case .gone, nil: break
            }
            next += 1
        }
        return end - start
    }

    func answer() { for message in published { message.done(outcome) } }
}

/// One message for all sessions of a shard, as they were when it came.
struct EveryoneFanOut {
    private let published: Published
    private let sessions: [SessionID]
    private var encoding: SharedEncoding
    private var next = 0
    private var outcome = PublishOutcome.none

    init(_ published: Published, to sessions: [SessionID]) {
        self.published = published
        self.sessions = sessions
        encoding = SharedEncoding([published.command])
    }

    var isServed: Bool { next == sessions.count }

    mutating func serve(_ countMax: Int, _ deliver: (SessionID, inout SharedEncoding) -> DeliveryVerdict) -> Int {
        let start = next
        let end = min(start + countMax, sessions.count)
        while next < end {
            switch deliver(sessions[next], &encoding) {
            case .written: outcome.delivered += 1
            case .refused: outcome.refused += 1
            case .gone: break
            }
            next += 1
        }
        return end - start
    }

    func answer() { published.done(outcome) }
}
