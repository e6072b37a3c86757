import Common
import TestKit
import Testing

@Suite struct InMemoryTopicStoreTests {
    /// All processes share one store, until it is wiped: then they share a new one.
    private actor Harness: TopicHarness {
        private let clock = ShiftedClock()
        private var store: InMemoryRouteStore?

        func makeTopicStore() -> any TopicStore {
            let clock = clock
            let store =
                store
                ?? InMemoryRouteStore(now: { WallClock.microseconds() + UInt64(clamping: clock.shift) * 1000 })
            self.store = store
            return store
        }

        func letPass(_ time: Duration) { clock.advance(by: time) }
        func wipe(_ topics: [Topic]) { store = nil }
    }

    @Test(arguments: TopicStoreContract.all)
    func contract(_ promise: TopicStoreContract) async throws { try await promise.check(Harness()) }

    private func message(_ number: Int) -> TopicMessage {
        TopicMessage(id: MessageID(unchecked: "m\(number)"), timestampMilliseconds: 0, data: [0x30])
    }

    @Test func `age counts from when a message was kept, and its last millisecond counts`() async throws {
        let clock = ShiftedClock()
        // Stands still but for what the test does.
        let store = InMemoryRouteStore(now: { 1_700_000_000_000_000 + UInt64(clock.shift) * 1000 })
        let topic = Topic(unchecked: "a")
        let history = try TopicRule.History(countMax: 100, ageMax: .seconds(10))
        _ = await store.publish([message(1)], to: topic, keeping: history)
        clock.advance(by: .seconds(4))
        let reach = await store.publish([message(2)], to: topic, keeping: history)
        #expect(reach.positions == [HistoryPosition(epoch: 1_700_000_000_000_000, offset: 2)])
        func kept() async -> [UInt64] {
            await store.history(of: topic, after: 0, countMax: 9, keeping: history).entries.map(\.offset)
        }
        clock.advance(by: .seconds(6))
        #expect(await kept() == [1, 2])
        clock.advance(by: .milliseconds(1))
        #expect(await kept() == [2])
        clock.advance(by: .seconds(4))
        #expect(await kept() == [])
    }

    @Test func `the counting of a topic that nobody publishes to is forgotten a week after its messages`() async throws
    {
        let clock = ShiftedClock()
        let store = InMemoryRouteStore(now: { 1_700_000_000_000_000 + UInt64(clock.shift) * 1000 })
        let history = try TopicRule.History(countMax: 100, ageMax: .seconds(10))
        let topics = (0..<200).map { Topic(unchecked: "t\($0)") }
        for topic in topics { _ = await store.publish([message(1)], to: topic, keeping: history) }
        clock.advance(by: .seconds(7 * 24 * 3_600 + 9))
        #expect(await store.history(of: topics[0], after: nil, countMax: 1, keeping: history).head == 1)
        clock.advance(by: .seconds(1))
        #expect(await store.history(of: topics[0], after: nil, countMax: 1, keeping: history).epoch == 0)
        // Enough new ones make the store look for what may go; a topic that is published to again begins anew.
        for number in 200..<600 {
            _ = await store.publish([message(1)], to: Topic(unchecked: "t\(number)"), keeping: history)
        }
        let again = await store.publish([message(2)], to: topics[0], keeping: history).positions
        #expect(again.map(\.offset) == [1] && again[0].epoch > 1_700_000_000_000_000)
    }
}
