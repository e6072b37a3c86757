import Common
import Testing

/// Somewhere topics are kept. Each store it makes stands for a process of its own, looking at the same place. What is
/// announced by wildcards belongs to the whole place, so promises run one after the other in it.
package protocol TopicHarness: Sendable {
    func makeTopicStore() async throws -> any TopicStore
    /// Waits until the place's clock has gone on by so much.
    func letPass(_ time: Duration) async throws
    /// Loses everything about the topics, and all patterns. Stores are made anew afterwards.
    func wipe(_ topics: [Topic]) async throws
}

/// What every topic store promises, one case a promise; runs like `RouteStoreContract`, but not side by side.
package struct TopicStoreContract: Sendable, CustomTestStringConvertible {
    package let name: String
    private let body: @Sendable (any TopicHarness, Cast) async throws -> Void

    package var testDescription: String { name }

    package func check(_ harness: any TopicHarness) async throws { try await body(harness, Cast()) }

    init(_ name: String, _ body: @escaping @Sendable (any TopicHarness, Cast) async throws -> Void) {
        self.name = name
        self.body = body
    }

    package static let all: [TopicStoreContract] = announcing + patterns + histories + pages + topicRaces

    /// The names one promise uses: nobody else's, so that what an earlier one left behind does no harm.
    struct Cast: Sendable {
        let run = UInt64.random(in: .min ... .max)

        func topic(_ name: String) -> Topic { Topic(unchecked: "\(run.hex16)/\(name)") }
        func pattern(_ name: String) -> TopicPattern { TopicPattern(unchecked: "\(run.hex16)/\(name)") }
        func node(_ name: String, life: UInt64 = 1) -> Incarnation {
            Incarnation(node: NodeID(unchecked: "\(name)-\(run.hex16)"), life: life)
        }
        /// What was announced with the names of this promise.
        func rows(_ store: any TopicStore) async throws -> Set<PatternDirectory.Row> {
            let rows = try await store.announcedPatterns().rows
            let mine = rows.filter { $0.node.node.text.hasSuffix(run.hex16) }
            #expect(Set(mine).count == mine.count, "no row comes twice")
            return Set(mine)
        }
    }
}

/// What a topic keeps in these promises, unless they are about that.
func keeping(_ countMax: Int = 1_000, for ageMax: Duration = .seconds(3_600)) throws -> TopicRule.History {
    try TopicRule.History(countMax: countMax, ageMax: ageMax)
}

/// A message of its own that says a number.
func topicMessage(_ number: Int) -> TopicMessage {
    TopicMessage(
        id: MessageID(unchecked: newPush().description), timestampMilliseconds: WallClock.milliseconds(),
        data: Array("\(number)".utf8))
}

extension TopicStore {
    func join(_ patterns: TopicPattern..., as node: Incarnation) async throws {
        try await change(patterns.map { TopicPresenceChange($0, isPresent: true) }, of: node)
    }

    func leave(_ patterns: TopicPattern..., as node: Incarnation) async throws {
        try await change(patterns.map { TopicPresenceChange($0, isPresent: false) }, of: node)
    }

    func change(_ changes: [TopicPresenceChange], of node: Incarnation) async throws {
        let results = await announce(changes, of: node)
        #expect(results.count == changes.count)
        for result in results { try result.get() }
    }

    /// The nodes that a publish to a topic finds.
    func nodes(of topic: Topic) async throws -> Set<Incarnation> {
        try await publish([topicMessage(0)], to: topic, keeping: nil).nodes
    }

    func patternsVersion() async throws -> UInt64 {
        let patterns = try await announcedPatterns()
        return patterns.version
    }

    /// Publishes messages that say these numbers in one call, and gives their places.
    @discardableResult
    func put(
        _ numbers: Range<Int>, to topic: Topic, _ history: TopicRule.History
    ) async throws -> [HistoryPosition] {
        try await publish(numbers.map(topicMessage), to: topic, keeping: history).positions
    }

    func page(
        of topic: Topic, after offset: UInt64? = 0, countMax: Int = 10_000, _ history: TopicRule.History
    ) async throws -> HistoryPage<TopicMessage> {
        try await self.history(of: topic, after: offset, countMax: countMax, keeping: history)
    }
}

extension HistoryPage<TopicMessage> {
    /// The numbers that its messages say.
    var numbers: [Int] { entries.compactMap { Int(String(decoding: $0.element.data, as: UTF8.self)) } }
    var offsets: [UInt64] { entries.map(\.offset) }
}
