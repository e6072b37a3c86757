import Common
import Testing

extension TopicStoreContract {
    static let histories: [TopicStoreContract] = [
        TopicStoreContract("messages are kept in the order of the call and of the calls, and counted from 1") {
            harness, cast in
            let (store, other) = (try await harness.makeTopicStore(), try await harness.makeTopicStore())
            let (topic, history) = (cast.topic("a"), try keeping())
            var positions = try await store.put(0..<3, to: topic, history)
            positions += try await other.put(3..<4, to: topic, history)
            positions += try await store.put(4..<300, to: topic, history)
            #expect(positions.map(\.offset) == Array(1...300))
            #expect(Set(positions.map(\.epoch)).count == 1)
            // Another topic counts for itself.
            #expect(try await store.put(0..<1, to: cast.topic("b"), history).map(\.offset) == [1])

            let page = try await other.page(of: topic, history)
            #expect(page.numbers == Array(0..<300) && page.offsets == Array(1...300))
            #expect(page.epoch == positions[0].epoch && page.first == 1 && page.head == 300 && !page.isMore)
        },

        TopicStoreContract("a message comes back as it was published, byte for byte") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping())
            let texts = [
                "{\"text\":\"Grüße, 世界 😀 e\u{301}\",\"n\":[1,2.50,null]}", "\"\\u0000\\r\\n\"", "\" \r\n\t\"", "0",
                "{}",
                "\"" + String(repeating: "ü", count: 100_000) + "\"",
            ]
            let messages = texts.enumerated().map { number, text in
                TopicMessage(
                    id: MessageID(unchecked: "id-\(number)"), timestampMilliseconds: 1_700_000_000_000 + UInt64(number),
                    data: Array(text.utf8), from: number.isMultiple(of: 2) ? ClientID(unchecked: "zoë \(number)") : nil)
            }
            _ = try await store.publish(messages, to: topic, keeping: history)
            let page = try await store.page(of: topic, history)
            #expect(page.entries.map(\.element) == messages)
            #expect(page.entries.map { Array($0.element.data) } == texts.map { Array($0.utf8) })
        },

        TopicStoreContract("a topic that keeps nothing gives no places and counts nothing") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping())
            #expect(try await store.publish([topicMessage(1)], to: topic, keeping: nil).positions.isEmpty)
            #expect(try await store.publish([], to: topic, keeping: history).positions.isEmpty)
            let none = HistoryPage<TopicMessage>(epoch: 0, first: 1, head: 0, entries: [], isMore: false)
            for offset in [nil, 0, 1, 50, UInt64.max] {
                #expect(try await store.page(of: topic, after: offset, history) == none)
            }
        },

        TopicStoreContract("only so many are kept, the newest") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping(10))
            for number in 0..<25 { try await store.put(number..<number + 1, to: topic, history) }
            var page = try await store.page(of: topic, history)
            #expect(page.numbers == Array(15..<25) && page.first == 16 && page.head == 25)
            // More in one call than are kept.
            let positions = try await store.put(25..<60, to: topic, history)
            #expect(positions.map(\.offset) == Array(26...60))
            page = try await store.page(of: topic, after: 20, history)
            #expect(page.numbers == Array(50..<60) && page.first == 51 && page.head == 60 && !page.isMore)
            // A rule that keeps less is obeyed by reading, before anything was trimmed by it.
            page = try await store.page(of: topic, after: 0, try keeping(3))
            #expect(page.numbers == [57, 58, 59] && page.first == 58)
            page = try await store.page(of: topic, after: 0, try keeping(1_000))
            #expect(page.numbers == Array(50..<60))
        },

        TopicStoreContract("what is too old is gone, and the counting goes on") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping(for: .seconds(1)))
            let positions = try await store.put(0..<40, to: topic, history)
            let epoch = positions[0].epoch
            #expect(try await store.page(of: topic, history).numbers == Array(0..<40))
            try await harness.letPass(.milliseconds(1_050))

            // Some are too old and some are not.
            #expect(try await store.put(40..<43, to: topic, history).map(\.offset) == [41, 42, 43])
            var page = try await store.page(of: topic, after: 5, history)
            #expect(page.numbers == [40, 41, 42] && page.first == 41 && page.head == 43 && page.epoch == epoch)
            try await harness.letPass(.milliseconds(1_050))

            // All are: what was published stays counted, and who has had all of it sees no gap.
            for offset in [nil, 0, 42, 43] as [UInt64?] {
                page = try await store.page(of: topic, after: offset, history)
                let expected = HistoryPage<TopicMessage>(epoch: epoch, first: 44, head: 43, entries: [], isMore: false)
                #expect(page == expected, "after \(offset.map(String.init) ?? "nil")")
            }
            // Long after the store itself may have let go of them.
            try await harness.letPass(.milliseconds(2_500))
            #expect(try await store.page(of: topic, after: 43, history) == page)
            let next = try await store.put(43..<44, to: topic, history)
            #expect(next == [HistoryPosition(epoch: epoch, offset: 44)])
            page = try await store.page(of: topic, after: 43, history)
            #expect(page.numbers == [43] && page.first == 44 && page.head == 44)
        },

        TopicStoreContract("a rule that keeps for less time is obeyed by reading, among thousands of old ones") {
            harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, long, short) = (cast.topic("a"), try keeping(10_000), try keeping(10_000, for: .seconds(1)))
            for start in stride(from: 0, to: 3_000, by: 500) {
                try await store.put(start..<start + 500, to: topic, long)
            }
            try await harness.letPass(.milliseconds(1_050))
            try await store.put(3_000..<3_007, to: topic, long)
            var page = try await store.page(of: topic, short)
            #expect(page.numbers == Array(3_000..<3_007) && page.first == 3_001 && page.head == 3_007)
            page = try await store.page(of: topic, after: 2_990, long)
            #expect(page.numbers == Array(2_990..<3_007) && page.first == 1)
            // Published by the shorter rule, they go; not all at once, and never to be seen by it.
            for number in 3_007..<3_012 {
                try await store.put(number..<number + 1, to: topic, short)
                #expect(try await store.page(of: topic, short).first == 3_001)
            }
        },

        TopicStoreContract("a wiped store counts from 1 again, under a newer epoch") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping())
            let before = try await store.put(0..<5, to: topic, history)
            try await harness.wipe([topic])
            try await harness.letPass(.milliseconds(2))
            let wiped = try await harness.makeTopicStore()
            #expect(try await wiped.page(of: topic, history).epoch == 0)
            let after = try await wiped.put(5..<7, to: topic, history)
            #expect(after.map(\.offset) == [1, 2])
            #expect(after[0].epoch > before[0].epoch)
            #expect(try await wiped.page(of: topic, history).numbers == [5, 6])
        },
    ]
}
