// A session's way into a topic that keeps what was published: `HistoryJoin` says what goes out when, here it is done.

import Common
import NIOCore
import PushCore

/// The joins of one session that are under way. Set only while there are any, which is what a fan-out asks.
struct TopicJoins {
    struct Joining {
        var join: HistoryJoin<Message>
        let pattern: TopicPattern
        let ref: Reference?
        var isAnswered = false
        /// The page after this place is read when the connection takes bytes again.
        var waitsForWriting = false
    }

    var byTopic: [Topic: Joining] = [:]
}

extension SessionHandler {
    func hasUnsubscribed(since count: UInt32) -> Bool {
        // Counts of a shard come round after four thousand million: what is behind is behind by less than half.
        lastUnsubscribe &- count &- 1 < UInt32.max / 2
    }

    func unsubscribed(at count: UInt32, _ pattern: TopicPattern) {
        lastUnsubscribe = count
        if let topic = pattern.topic { endJoin(topic) }
    }

    func beginJoin(_ topic: Topic, _ pattern: TopicPattern, since: HistoryPosition, ref: Reference?) {
        unlist()
        var joins = joins ?? TopicJoins()
        joins.byTopic[topic] = TopicJoins.Joining(join: HistoryJoin(since: since), pattern: pattern, ref: ref)
        self.joins = joins
    }

    private func endJoin(_ topic: Topic) {
        joins?.byTopic[topic] = nil
        if joins?.byTopic.isEmpty == true { joins = nil }
    }

    func readHistory(of topic: Topic) {
        guard let joining = joins?.byTopic[topic], joining.join.isReading else { return }
        shard.readHistory(self, of: topic, after: joining.join.position)
    }

    /// The store's answer to a read; nil when it did not answer: then the subscription is refused, or taken back, and
    /// the device may try again from where it is.
    func received(_ page: HistoryPage<Message>?, of topic: Topic) {
        guard identity != nil, var joining = joins?.byTopic[topic], joining.join.isReading else { return }
        guard let page else {
            shard.unsubscribe(self, from: joining.pattern)
            let error = WindfireError(.routesUnavailable, "what the topic keeps cannot be read now")
            return answer(.error(error.code, message: error.message, ref: joining.ref))
        }
        let step = joining.join.received(page, now: .now())
        let isFirst = !joining.isAnswered
        joining.isAnswered = true
        joining.waitsForWriting = step.read != nil && !machine.takesDirectly
        let isWaiting = joining.waitsForWriting
        joins?.byTopic[topic] = joining
        if isFirst { send(.subscribed(joining.pattern, ref: joining.ref)) }
        if let gap = step.gap { send(.topicGap(topic, gap)) }
        for message in step.send { deliverAlone(message) }
        if step.read != nil, !isWaiting { readHistory(of: topic) }
    }

    /// The connection takes bytes again: pages that waited for that are read.
    func proceedJoins() {
        guard let topics = joins?.byTopic.filter(\.value.waitsForWriting).keys else { return }
        for topic in topics {
            joins?.byTopic[topic]?.waitsForWriting = false
            readHistory(of: topic)
        }
    }

    /// A run of a topic, to a session that is on its way into some topic.
    func deliver(
        _ published: [Published], of topic: Topic, _ encoding: inout SharedEncoding, now: NIODeadline
    ) -> DeliveryVerdict {
        guard var joining = joins?.byTopic[topic] else {
            return deliver(&encoding, isOnly: false, now: now)
        }
        guard !joining.join.isOver(now: now) else {
            endJoin(topic)
            return deliver(&encoding, isOnly: false, now: now)
        }
        for message in published.flatMap(\.messages) {
            let verdict = message.position.map { joining.join.live(message, at: $0) } ?? .send
            if verdict == .send { deliverAlone(message) }
        }
        // Delivering may have ended the session.
        if joins?.byTopic[topic] != nil { joins?.byTopic[topic] = joining }
        return .written
    }

    private func deliverAlone(_ message: Message) {
        var encoding = SharedEncoding(message)
        _ = deliver(&encoding, isOnly: false, now: .now())
    }
}
