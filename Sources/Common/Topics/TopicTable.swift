/// Who has subscribers of what, and what topics keep: the rules of a topic store in memory, without its clock.
struct TopicTable {
    private var nodesByTopic: [Topic: Set<Incarnation>] = [:]
    private var rows: Set<PatternDirectory.Row> = []
    private(set) var version: UInt64 = 0
    private var histories: [Topic: TopicHistory] = [:]
    /// Old messages of idle topics, and countings that nobody can ask for any more, are dropped when the number of
    /// histories has doubled.
    private var historiesAtLastSweep = 64

    /// - Parameter now: microseconds since 1970, as everywhere here.
    mutating func announce(_ changes: [TopicPresenceChange], of node: Incarnation, now: UInt64) {
        var isChanged = false
        for change in changes {
            if let topic = change.pattern.topic {
                if change.isPresent {
                    nodesByTopic[topic, default: []].insert(node)
                } else {
                    remove([node], from: topic)
                }
                continue
            }
            let row = PatternDirectory.Row(pattern: change.pattern, node: node)
            let isNew = change.isPresent ? rows.insert(row).inserted : rows.remove(row) != nil
            isChanged = isChanged || isNew
        }
        if isChanged { raiseVersion(now: now) }
    }

    mutating func forget(_ nodes: Set<Incarnation>, in topic: Topic?, now: UInt64) {
        if let topic { return remove(nodes, from: topic) }
        let kept = rows.filter { !nodes.contains($0.node) }
        guard kept.count < rows.count else { return }
        rows = kept
        raiseVersion(now: now)
    }

    var patterns: [PatternDirectory.Row] { Array(rows) }

    private mutating func remove(_ nodes: Set<Incarnation>, from topic: Topic) {
        nodesByTopic[topic]?.subtract(nodes)
        if nodesByTopic[topic]?.isEmpty == true { nodesByTopic[topic] = nil }
    }

    private mutating func raiseVersion(now: UInt64) { version = max(version + 1, now) }

    mutating func publish(
        _ messages: [TopicMessage], to topic: Topic, keeping history: TopicRule.History?, now: UInt64
    ) -> TopicReach {
        var positions: [HistoryPosition] = []
        if let history, !messages.isEmpty {
            if histories.count >= 2 * historiesAtLastSweep { sweep(now: now / 1000) }
            let epoch = histories[topic]?.epoch ?? now
            let first = histories[topic, default: TopicHistory(epoch: now)]
                .append(messages, keeping: history, now: now / 1000)
            positions = messages.indices.map { HistoryPosition(epoch: epoch, offset: first + UInt64($0)) }
        }
        return TopicReach(nodes: nodesByTopic[topic] ?? [], patternsVersion: version, positions: positions)
    }

    func history(
        of topic: Topic, after offset: UInt64?, countMax: Int, keeping history: TopicRule.History, now: UInt64
    ) -> HistoryPage<TopicMessage> {
        guard let kept = histories[topic], kept.forgottenAt > now / 1000 else {
            return HistoryPage(epoch: 0, first: 1, head: 0, entries: [], isMore: false)
        }
        return kept.page(after: offset, countMax: countMax, keeping: history, now: now / 1000)
    }

    private mutating func sweep(now: UInt64) {
        histories = histories.filter { $0.value.forgottenAt > now }
        for topic in histories.keys { histories[topic]?.dropOld(now: now) }
        historiesAtLastSweep = max(64, histories.count)
    }
}
