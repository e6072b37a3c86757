// Fan-out: what many sessions of a shard are told, in slices, so that reads and heartbeats of others never wait long.

import Common
import NIOCore
import NodeRPC
import PushCore

extension Shard {
    /// Delivers to sessions of this shard, after all that came before it.
    func deliver(_ fanOut: FanOut) {
        fanOuts.append(fanOut)
        // One turn of waiting: what else comes in this turn goes out together with it.
        if fanOuts.count == 1, !isServing { loop.execute { [self] in serveFanOuts() } }
    }

    /// One slice of what is to be delivered, in the order in which it came.
    func serveFanOuts() {
        isServing = true
        let now = NIODeadline.now()
        var left = Self.sliceSize
        while left > 0, let next = fanOuts.popFirst() {
            switch next {
            case .list(let list): left -= serve(list, left, now)
            case .topic(let topic): beginRun(of: topic)
            case .run(let run): left -= serve(run, left, now)
            case .everyone(let everyone): left -= serve(everyone, left, now)
            }
        }
        flushWritten()
        isServing = !fanOuts.isEmpty
        guard isServing else { return }
        // Reads, pings and logins come in between two slices.
        if bell?.ring() != true { loop.scheduleTask(in: .microseconds(10)) { [self] in serveFanOuts() } }
    }

    // Each of these serves a part, puts the rest back in front, and says how much of the slice it used, at least 1.

    private func serve(_ given: ListFanOut, _ countMax: Int, _ now: NIODeadline) -> Int {
        var list = given
        // A message that has the turn for itself is written and flushed in one pass, while its sessions are warm.
        // Several may meet in a session: those leave together, at the end.
        let isOnly = fanOuts.isEmpty
        let count = list.serve(countMax) { [self, isChunk = list.isChunk] session, place, message, encoding in
            let verdict = deliver(
                message, &encoding, at: place, to: session, isOnly: isOnly, isChunk: isChunk, now: now)
            counters.count(verdict, 1)
            return verdict
        }
        if list.isServed { list.answer() } else { fanOuts.prepend(.list(list)) }
        return max(1, count)
    }

    private func serve(_ given: TopicFanOut, _ countMax: Int, _ now: NIODeadline) -> Int {
        var run = given
        let isOnly = fanOuts.isEmpty || (fanOuts.count == 1 && fanOuts[0].isMore(of: run.topic))
        // Not the run itself: a second reference to its encodings would have them copied.
        let (topic, published, unsubscribes) = (run.topic, run.published, run.unsubscribes)
        let takesWays = isOnly && unsubscribes == unsubscribeCount
        let count = run.serve(countMax) { [self] slot, encoding in
            if takesWays, let way = ways[slot], let bytes = encoding.known(in: way.encoding) {
                let sent = way.socket.send(bytes)
                if sent < bytes.readableBytes { slots[slot]?.writeRest(of: bytes, after: sent) }
                counters.count(.written, encoding.messageCount)
                return .written
            }
            guard let handler = slots[slot] else { return .gone }
            if handler.hasUnsubscribed(since: unsubscribes), !topics.isSubscribed(slot, to: topic) { return nil }
            let verdict =
                handler.joins == nil
                ? handler.deliver(&encoding, isOnly: isOnly, now: now)
                : handler.deliver(published, of: topic, &encoding, now: now)
            if isOnly, verdict == .written { handler.list() }
            counters.count(verdict, encoding.messageCount)
            return verdict
        }
        if run.isServed { run.answer() } else { fanOuts.prepend(.run(run)) }
        return max(1, count)
    }

    private func serve(_ given: EveryoneFanOut, _ countMax: Int, _ now: NIODeadline) -> Int {
        var everyone = given
        let isOnly = fanOuts.isEmpty
        let count = everyone.serve(countMax) { [self] session, encoding in
            let verdict = sessions[session]?.deliver(&encoding, isOnly: isOnly, now: now) ?? .gone
            counters.count(verdict, 1)
            return verdict
        }
        if everyone.isServed { everyone.answer() } else { fanOuts.prepend(.everyone(everyone)) }
        return max(1, count)
    }

    /// The turn of a topic has come: what waits of it goes to whoever is subscribed now. What finds no room in the run
    /// takes its place in the line again, behind the others.
    private func beginRun(of topic: Topic) {
        let (published, isMore) = topicQueue.takeRun(of: topic)
        guard !published.isEmpty else { return }
        if isMore { fanOuts.append(.topic(topic)) }
        fanOuts.prepend(
            .run(
                TopicFanOut(topic, published, to: topics.audience(of: topic), unsubscribes: unsubscribeCount)))
    }

    private func deliver(
        _ message: Message, _ encoding: inout SharedEncoding, at place: StoredPlace?, to session: SessionID,
        isOnly: Bool, isChunk: Bool, now: NIODeadline
    ) -> DeliveryVerdict {
        guard let handler = sessions[session] else { return .gone }
        if let place { return handler.deliver(message, at: place, now: now) }
        guard isChunk else { return handler.deliver(&encoding, isOnly: isOnly, now: now) }
        // A part of a job, called again because its runner died: what was handed over before counts as that.
        if recent.contains(session, of: message.id) { return .written }
        let verdict = handler.deliver(&encoding, isOnly: isOnly, now: now)
        if verdict == .written { recent.note(session, of: message.id, now: now) }
        return verdict
    }
}

extension FanOut {
    fileprivate func isMore(of topic: Topic) -> Bool {
        if case .topic(topic) = self { true } else { false }
    }
}
