import Common
import PushCore
import Testing

struct TopicQueueTests {
    private let room = Topic(unchecked: "room/1")
    private let other = Topic(unchecked: "room/2")

    /// A queue and what a test asks of it, as values.
    private struct Line {
        var queue = TopicQueue<Int>()

        /// Whether each was the first of its topic.
        mutating func append(_ numbers: [Int], bytes: Int = 10, to topic: Topic) -> [Bool] {
            numbers.map { queue.append($0, bytes: bytes, to: topic) }
        }
    }

    @Test func whatWaitsOfATopicLeavesTogetherInItsOrder() {
        var line = Line()
        let firsts = line.append([1, 2], to: room) + line.append([7], to: other) + line.append([3], to: room)
        #expect(firsts == [true, false, true, false], "the first of a topic takes a place in the line")
        let runs = [room, room, other].map { line.queue.takeRun(of: $0) }
        #expect(runs.map(\.elements) == [[1, 2, 3], [], [7]])
        #expect(runs.map(\.isMore) == [false, false, false])
        #expect(line.queue.isEmpty)
        let next = line.append([4], to: room)
        #expect(next == [true])
    }

    @Test func aRunEndsBeforeItGetsTooLarge() {
        var queue = TopicQueue<Int>()
        let half = TopicQueue<Int>.bytesMax / 2
        for (number, bytes) in [half, half, 1, 3 * half, 1].enumerated() {
            _ = queue.append(number, bytes: bytes, to: room)
        }
        let runs = (0..<4).map { _ in queue.takeRun(of: room) }
        #expect(runs.map(\.elements) == [[0, 1], [2], [3], [4]], "one that is larger than a run goes alone")
        #expect(runs.map(\.isMore) == [true, true, true, false])
    }

    @Test func aRunHasOnlySoManyMessages() {
        var queue = TopicQueue<Int>()
        let most = TopicQueue<Int>.countMax
        for number in 0...most { _ = queue.append(number, bytes: 0, to: room) }
        let runs = (0..<2).map { _ in queue.takeRun(of: room) }
        #expect(runs.map(\.elements) == [Array(0..<most), [most]])
    }
}
