import Common
import Testing

extension TopicStoreContract {
    static let pages: [TopicStoreContract] = [
        TopicStoreContract("a page has at most so many messages, and says exactly whether there are more") {
            harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping())
            try await store.put(0..<100, to: topic, history)
            // Around the chunks that a store may read in.
            for countMax in [1, 2, 15, 16, 17, 31, 32, 33, 50, 99, 100, 101] {
                var (after, seen): (UInt64, [Int]) = (0, [])
                while true {
                    let page = try await store.page(of: topic, after: after, countMax: countMax, history)
                    #expect(page.entries.count == min(countMax, 100 - seen.count), "\(countMax) after \(after)")
                    #expect(page.isMore == (seen.count + page.entries.count < 100), "\(countMax) after \(after)")
                    #expect(page.first == 1 && page.head == 100)
                    seen += page.numbers
                    guard page.isMore, let last = page.entries.last else { break }
                    after = last.offset
                }
                #expect(seen == Array(0..<100), "\(countMax)")
            }
        },

        TopicStoreContract("a page has some 256 KiB of data, but always one message") { harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping())
            let sizes = [100_000, 100_000, 62_144, 1, 300_000, 300_000, 1, 262_143, 1]
            let messages = sizes.map { size in
                var message = topicMessage(0)
                message.data = [UInt8](repeating: UInt8(ascii: "7"), count: size)
                return message
            }
            _ = try await store.publish(messages, to: topic, keeping: history)
            var (after, pages): (UInt64, [[Int]]) = (0, [])
            while true {
                let page = try await store.page(of: topic, after: after, history)
                pages.append(page.entries.map(\.element.data.count))
                guard page.isMore, let last = page.entries.last else { break }
                after = last.offset
            }
            #expect(pages == [[100_000, 100_000, 62_144], [1], [300_000], [300_000], [1, 262_143], [1]])
        },

        TopicStoreContract("reading at the head, behind it, and for the head alone gives no entries") {
            harness, cast in
            let store = try await harness.makeTopicStore()
            let (topic, history) = (cast.topic("a"), try keeping(4))
            let epoch = try await store.put(0..<9, to: topic, history)[0].epoch
            let expected = HistoryPage<TopicMessage>(epoch: epoch, first: 6, head: 9, entries: [], isMore: false)
            for offset in [nil, 9, 10, 1_000_000, 1 << 53, UInt64(Int64.max), UInt64.max] as [UInt64?] {
                let page = try await store.page(of: topic, after: offset, history)
                #expect(page == expected, "after \(offset.map(String.init) ?? "nil")")
            }
            #expect(try await store.page(of: topic, after: 8, history).offsets == [9])
            #expect(try await store.page(of: topic, after: 2, history).offsets == [6, 7, 8, 9])
        },
    ]

    static let topicRaces: [TopicStoreContract] = [
        TopicStoreContract("publishers side by side get ranges of their own, and each of them rising ones") {
            harness, cast in
            let (topic, history) = (cast.topic("a"), try keeping(10_000))
            let reader = try await harness.makeTopicStore()
            let total = 8 * 50 * 3
            let ranges = try await withThrowingTaskGroup(of: [(calls: [[HistoryPosition]], publisher: Int)].self) {
                group in
                for publisher in 0..<8 {
                    let store = try await harness.makeTopicStore()
                    group.addTask {
                        var calls: [[HistoryPosition]] = []
                        for call in 0..<50 {
                            let number = publisher * 1_000 + call * 3
                            calls.append(try await store.put(number..<number + 3, to: topic, history))
                        }
                        return [(calls, publisher)]
                    }
                }
                group.addTask {
                    // Who reads meanwhile sees all of it, in order, and never a hole.
                    var (after, seen): (UInt64, Int) = (0, 0)
                    try await eventually(within: .seconds(60), "everything is read", poll: .milliseconds(1)) {
                        let page = try await reader.page(of: topic, after: after, countMax: 70, history)
                        #expect(page.offsets == page.entries.indices.map { after + 1 + UInt64($0) })
                        after = page.offsets.last ?? after
                        #expect(page.isMore == (after < page.head))
                        seen += page.entries.count
                        return seen == total
                    }
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let page = try await reader.page(of: topic, countMax: 10_000, history)
            #expect(page.offsets == Array(1...UInt64(total)))
            for (calls, publisher) in ranges {
                let flat = calls.flatMap(\.self)
                #expect(zip(flat, flat.dropFirst()).allSatisfy { $0.offset < $1.offset })
                for call in calls { #expect(call[2].offset == call[0].offset + 2) }
                let numbers = flat.map { page.numbers[Int($0.offset) - 1] }
                #expect(numbers == (0..<150).map { publisher * 1_000 + $0 })
            }
            #expect(Set(ranges.flatMap { $0.calls.flatMap { $0.map(\.epoch) } }).count == 1)
        },

        TopicStoreContract("who joins, by name or wildcard, and then reads, has a message or is found by its publish") {
            harness, cast in
            let history = try keeping()
            let (node, publisher) = (try await harness.makeTopicStore(), try await harness.makeTopicStore())
            var (readCount, foundCount) = (0, 0)
            for round in 0..<300 {
                let topic = cast.topic("r\(round)/a")
                let patterns = [TopicPattern(topic), cast.pattern("r\(round)/+")]
                for (index, pattern) in patterns.enumerated() {
                    async let early = round.isMultiple(of: 2) ? publisher.put(1..<2, to: topic, history).count : 0
                    async let late = publisher.publish([topicMessage(2)], to: topic, keeping: history)
                    try await node.join(pattern, as: cast.node("n\(index)"))
                    let version = try await node.patternsVersion()
                    let hasIt = try await node.page(of: topic, history).numbers.contains(2)
                    let reach = try await late
                    let isFound =
                        index == 0
                        ? reach.nodes.contains(cast.node("n0")) : reach.patternsVersion >= version
                    #expect(hasIt || isFound, "round \(round), \(pattern.isWildcard ? "wildcard" : "name")")
                    readCount += hasIt ? 1 : 0
                    foundCount += isFound ? 1 : 0
                    _ = try await early
                    try await node.leave(pattern, as: cast.node("n\(index)"))
                }
            }
            // Both happened, or nothing was shown.
            #expect(readCount > 0 && foundCount > 0)
        },
    ]
}
