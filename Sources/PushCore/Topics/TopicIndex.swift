import Common

/// Who of one shard's sessions gets a message of a topic. It has never met a socket, and belongs to its shard's loop.
///
/// Topics are looked up whole: one hash, and the list is there. Patterns with wildcards stand in a tree that a publish
/// walks only when there are any (`PatternTrie`). A session whose patterns match more than once is visited once.
///
/// Cost: subscribing and leaving look through the session's own subscriptions (`Limits.topicsPerSessionMax`) and
/// nothing else. A match is proportional to the sessions and patterns that match, some 300 ns before the first session,
/// and allocates nothing in the steady state; of a single matching pattern, even the snapshot for a fan-out is the list
/// itself.
///
/// Memory: 20 bytes a subscription (`bytesPerSubscription`) and 8 a session, before the slack of growing arrays.
/// Measured
/// with 100,000 sessions: 32 bytes for a subscription to a topic that others have too, and 134 for one to a topic of
/// its
/// own, with the topic's text on top where that is longer than 15 bytes. A pattern with wildcards adds its nodes.
package struct TopicIndex: ~Copyable {
    package enum Subscribed: Equatable, Sendable {
        /// The pattern had no subscriber in this shard before: the node is to be told.
        case first
        case another
        /// The session had it before; nothing changed.
        case already
    }

    package enum Unsubscribed: Equatable, Sendable {
        /// The pattern has no subscriber in this shard any more: the node is to be told.
        case last
        case others
        /// The session did not have it; nothing changed.
        case notSubscribed
    }

    /// Before the slack of growing arrays.
    package static let bytesPerSubscription = SubscriptionTable.bytesPerSubscription

    private let patternsPerSessionMax: Int
    private var table = SubscriptionTable()
    private var topics: [Topic: UInt32] = [:]
    private var wildcards = PatternTrie()
    /// The patterns of the match under way; its storage stays.
    private var matched: [UInt32] = []
    /// By the slot's place: the last match with several patterns that visited it.
    private var visits: [UInt32] = []
    private var visit: UInt32 = 0

    /// - Parameter patternsPerSessionMax: `Limits.topicsPerSessionMax`.
    package init(patternsPerSessionMax: Int) { self.patternsPerSessionMax = patternsPerSessionMax }

    package var subscriptionCount: Int { table.count }
    package var patternCount: Int { topics.count + wildcards.count }

    // MARK: Coming and going

    /// - Throws: `too_many_topics`; nothing has changed then.
    package mutating func subscribe(
        _ session: SubscriberSlot, to pattern: TopicPattern
    ) throws(WindfireError) -> Subscribed {
        let known = number(of: pattern)
        var count = 0
        var isAlready = false
        table.forEachPattern(of: session) { number in
            count += 1
            if number == known { isAlready = true }
        }
        if isAlready { return .already }
        guard count < patternsPerSessionMax else {
            throw WindfireError(.tooManyTopics, "a session has at most \(patternsPerSessionMax) subscriptions")
        }
        table.add(session, to: known ?? open(pattern))
        return known == nil ? .first : .another
    }

    package mutating func unsubscribe(_ session: SubscriberSlot, from pattern: TopicPattern) -> Unsubscribed {
        guard let number = number(of: pattern), table.remove(session, from: number) else { return .notSubscribed }
        return closeIfUnused(number) == nil ? .others : .last
    }

    /// The session is gone; it must be, before its slot is given to another.
    /// - Parameter lost: is called for each pattern that has no subscriber in this shard any more.
    package mutating func removeAll(_ session: SubscriberSlot, lost: (TopicPattern) -> Void) {
        while let number = table.removeFirst(of: session) {
            if let pattern = closeIfUnused(number) { lost(pattern) }
        }
    }

    /// Whether a message of the topic is for the session.
    package func isSubscribed(_ session: SubscriberSlot, to topic: Topic) -> Bool {
        var isMatched = false
        table.forEachPattern(of: session) { number in
            if !isMatched, let pattern = table.pattern(number) { isMatched = pattern.matches(topic) }
        }
        return isMatched
    }

    // MARK: Who gets it

    /// Calls `body` once for every session with a pattern that matches, in no particular order.
    package mutating func forEachSubscriber(of topic: Topic, _ body: (SubscriberSlot) -> Void) {
        collect(topic)
        if matched.count == 1 {
            for member in table.members(of: matched[0]) { body(member.slot) }
        } else if matched.count > 1 {
            forEachOnce { body($0.slot) }
        }
    }

    /// The same sessions, to be gone through later.
    package mutating func audience(of topic: Topic) -> TopicAudience {
        collect(topic)
        guard matched.count > 1 else { return TopicAudience(matched.first.map { table.members(of: $0) } ?? []) }
        var members: [SubscriptionTable.Member] = []
        members.reserveCapacity(matched.reduce(0) { $0 + table.memberCount(of: $1) })
        forEachOnce { members.append($0) }
        return TopicAudience(members)
    }

    /// Sessions of exactly this pattern.
    package func subscriberCount(of pattern: TopicPattern) -> Int {
        number(of: pattern).map { table.memberCount(of: $0) } ?? 0
    }

    /// What a session is subscribed to, the newest first.
    package func patterns(of session: SubscriberSlot) -> [TopicPattern] {
        var patterns: [TopicPattern] = []
        table.forEachPattern(of: session) { number in
            if let pattern = table.pattern(number) { patterns.append(pattern) }
        }
        return patterns
    }

    /// Every pattern with subscribers, and how many they are.
    package func forEachPattern(_ body: (TopicPattern, Int) -> Void) { table.forEachPattern(body) }

    // MARK: Inside

    private func number(of pattern: TopicPattern) -> UInt32? {
        if let topic = pattern.topic { return topics[topic] }
        return wildcards.number(of: pattern)
    }

    private mutating func open(_ pattern: TopicPattern) -> UInt32 {
        let number = table.open(pattern)
        if let topic = pattern.topic { topics[topic] = number } else { wildcards.insert(pattern, number) }
        return number
    }

    /// - Returns: the pattern, if it had no subscribers and is gone.
    private mutating func closeIfUnused(_ number: UInt32) -> TopicPattern? {
        guard table.memberCount(of: number) == 0, let pattern = table.pattern(number) else { return nil }
        if let topic = pattern.topic { topics[topic] = nil } else { wildcards.remove(pattern) }
        table.close(number)
        return pattern
    }

    private mutating func collect(_ topic: Topic) {
        matched.removeAll(keepingCapacity: true)
        if let number = topics[topic] { matched.append(number) }
        wildcards.appendMatches(of: topic, to: &matched)
    }

    private mutating func forEachOnce(_ body: (SubscriptionTable.Member) -> Void) {
        if visits.count < table.placeCount {
            visits.append(contentsOf: repeatElement(0, count: table.placeCount - visits.count))
        }
        if visit == .max {
            visit = 0
            for place in visits.indices { visits[place] = 0 }
        }
        visit += 1
        for number in matched {
            for member in table.members(of: number) where visits[member.slot.place] != visit {
                visits[member.slot.place] = visit
                body(member)
            }
        }
    }
}
