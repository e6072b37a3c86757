import Common

// What topics bring.

extension Subscriptions {
    /// Each message once, and those of a topic in order.
    ///
    /// During a move two connections bring them. What the old one still has is taken until the new one has brought the
    /// first: after that it would come behind what is newer, and where the topic keeps its messages the new connection
    /// replays it.
    ///
    /// - Returns: whether it is to be shown.
    mutating func receive(_ message: PushClient.Message, on connection: Int) -> Bool {
        if connection == self.connection {
            hasSpoken = true
        } else if hasSpoken {
            return false
        }
        var wasHere = false
        if let place = message.place, let pattern = message.topic.map(TopicPattern.init(unchecked:)) {
            wasHere = entries[pattern]?.progress.received(place) ?? false
        }
        return recent.insert(message.id) && !wasHere
    }

    /// A batch of a merged topic.
    /// - Returns: what of it is to be shown.
    mutating func receive(
        _ batch: [PushClient.Message], of topic: String, leftOut: Int, on connection: Int
    ) -> [PushClient.Message] {
        let new = batch.filter { receive($0, on: connection) }
        let pattern = TopicPattern(unchecked: topic)
        if leftOut > 0, connection == self.connection, var entry = entries[pattern] {
            entry.leftOut = entry.leftOut.addingSaturated(leftOut)
            let places = batch.compactMap(\.place)
            if let last = places.max(by: { ($0.epoch, $0.offset) < ($1.epoch, $1.offset) }) {
                entry.progress.passed(last)
            }
            entries[pattern] = entry
        }
        return new
    }

    /// So many messages of the topic cannot be had any more.
    /// - Returns: how many of them were not told before; nil when that is no news.
    mutating func missed(_ count: Int, of topic: String, reason: String, on connection: Int) -> Int? {
        let pattern = TopicPattern(unchecked: topic)
        guard connection == self.connection, var entry = entries[pattern] else { return nil }
        let new = Int(clamping: entry.progress.missed(UInt64(clamping: count), reason))
        entry.missed = entry.missed.addingSaturated(new)
        entries[pattern] = entry
        return new == 0 && count > 0 ? nil : new
    }

    /// Whether an answer is to come on this connection.
    func isUnanswered(_ pattern: TopicPattern) -> Bool {
        guard connection != nil else { return false }
        switch entries[pattern]?.phase {
        case .due, .asked, .waiting: return true
        case .standing, .refused, nil: return false
        }
    }

    /// What the application sees of one.
    subscript(pattern: TopicPattern) -> PushClient.Subscription? {
        entries[pattern].map { entry in
            var isStanding = false
            var refusal: String?
            switch entry.phase {
            case .standing: isStanding = true
            case .refused(let error): refusal = error.code
            case .due, .asked, .waiting: break
            }
            return PushClient.Subscription(
                topic: pattern.text, isStanding: isStanding,
                position: pattern.isWildcard ? nil : entry.progress.position?.description,
                missed: entry.missed, leftOut: entry.leftOut, refusal: refusal)
        }
    }
}

extension PushClient.Message {
    fileprivate var place: HistoryPosition? { position.flatMap { try? HistoryPosition($0) } }
}
