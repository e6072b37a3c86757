import Common
import NIOCore
import PushCore
import TestKit
import Testing

struct MergeWindowTests {
    private let start = NIODeadline.uptimeNanoseconds(7_000_000_000)

    private func window(
        messages: Int = 100, bytes: Int = 1 << 20, _ policy: TopicRule.Merge.Policy = .keepLatest
    ) throws -> MergeWindow<Int> {
        MergeWindow(
            try TopicRule.Merge(window: .milliseconds(100), messagesMax: messages, bytesMax: bytes, policy: policy))
    }

    @Test func whatArrivesWithinTheWindowLeavesTogether() throws {
        var random = SplitMix(seed: 1)
        var window = try window()
        let end = start + .milliseconds(100)
        #expect(!window.isOpen)
        #expect(window.offer(1, bytes: 10, now: start, random: &random) == .opened(until: end))
        #expect(window.offer(2, bytes: 10, now: start + .milliseconds(99), random: &random) == .waits)
        #expect(window.deadline == end)
        #expect(window.take(now: end - .nanoseconds(1)) == nil)
        #expect(window.take(now: end) == .init(elements: [1, 2], leftOut: 0))
        #expect(window.take(now: end + .seconds(1)) == nil, "a quiet topic costs nothing")
        #expect(window.deadline == nil)
        let later = start + .seconds(5)
        #expect(
            window.offer(3, bytes: 10, now: later, random: &random) == .opened(until: later + .milliseconds(100)),
            "a window opens with its first message")
        #expect(window.takeAll() == .init(elements: [3], leftOut: 0), "also before its time")
        #expect(window.takeAll() == nil)
        #expect(window.counts == .init(received: 3, sent: 3, batches: 2, leftOut: 0))
    }

    @Test func keepsTheLatest() throws {
        var random = SplitMix(seed: 1)
        var window = try window(messages: 3)
        _ = window.offer(1, bytes: 1, now: start, random: &random)
        for number in 2...3 { #expect(window.offer(number, bytes: 1, now: start, random: &random) == .waits) }
        for number in 4...9 { #expect(window.offer(number, bytes: 1, now: start, random: &random) == .displaced(1)) }
        #expect(window.take(now: .distantFuture) == .init(elements: [7, 8, 9], leftOut: 6))
        #expect(window.counts == .init(received: 9, sent: 3, batches: 1, leftOut: 6))
        _ = window.offer(10, bytes: 1, now: start, random: &random)
        #expect(window.takeAll() == .init(elements: [10], leftOut: 0), "each window counts for itself")
    }

    @Test func bytesAreBoundedToo() throws {
        var random = SplitMix(seed: 1)
        var window = try window(bytes: 1_024)
        _ = window.offer(1, bytes: 400, now: start, random: &random)
        #expect(window.offer(2, bytes: 400, now: start, random: &random) == .waits)
        #expect(window.offer(3, bytes: 224, now: start, random: &random) == .waits, "exactly full")
        #expect(window.offer(4, bytes: 500, now: start, random: &random) == .displaced(2))
        #expect(window.takeAll() == .init(elements: [3, 4], leftOut: 2))
        _ = window.offer(5, bytes: 10, now: start, random: &random)
        #expect(window.offer(6, bytes: 5_000, now: start, random: &random) == .displaced(1))
        #expect(window.offer(7, bytes: 1, now: start, random: &random) == .displaced(1))
        #expect(window.takeAll() == .init(elements: [7], leftOut: 2))
        _ = window.offer(8, bytes: 5_000, now: start, random: &random)
        #expect(window.takeAll() == .init(elements: [8], leftOut: 0), "a large one leaves by itself")
        #expect(window.counts == .init(received: 8, sent: 4, batches: 3, leftOut: 4))
    }

    @Test func aSampleKeepsItsOrder() throws {
        var random = SplitMix(seed: 7)
        var window = try window(messages: 10, .sample)
        for number in 1...1_000 { _ = window.offer(number, bytes: 1, now: start, random: &random) }
        let taken = window.take(now: .distantFuture)
        let batch = try #require(taken)
        #expect(batch.elements.count == 10)
        #expect(batch.elements == Array(Set(batch.elements)).sorted())
        #expect(batch.leftOut == 990)
        #expect(window.counts == .init(received: 1_000, sent: 10, batches: 1, leftOut: 990))
    }

    @Test func aSampleGivesEveryMessageTheSameChance() throws {
        var random = SplitMix(seed: 0x5A4D)
        var window = try window(messages: 5, .sample)
        var counts = Array(repeating: 0, count: 20)
        let rounds = 8_000
        for _ in 0..<rounds {
            for number in 0..<20 { _ = window.offer(number, bytes: 1, now: start, random: &random) }
            for number in window.takeAll()?.elements ?? [] { counts[number] += 1 }
        }
        // A quarter of the rounds, within five standard deviations: √(8000 × ¼ × ¾) = 39.
        for (number, count) in counts.enumerated() { #expect(abs(count - rounds / 4) < 5 * 39, "message \(number)") }
    }

    /// Both policies on random streams: bounds, order and accounts.
    @Test(arguments: TopicRule.Merge.Policy.allCases)
    func boundsOrderAndAccountsHold(_ policy: TopicRule.Merge.Policy) throws {
        var random = SplitMix.printed()
        var window = try window(messages: 7, bytes: 2_000, policy)
        var now = start
        var open: [(number: Int, bytes: Int)] = []
        var (sent, leftOut) = (0, 0)
        for number in 0..<5_000 {
            now = now + .milliseconds(.random(in: 0...15, using: &random))
            if let batch = window.take(now: now) {
                let bytes = batch.elements.reduce(0) { sum, element in
                    sum + (open.first { $0.number == element }?.bytes ?? .max / 10)
                }
                #expect(batch.elements.count <= 7)
                #expect(bytes <= 2_000 || batch.elements.count == 1)
                #expect(batch.elements == batch.elements.sorted())
                #expect(batch.elements.count + batch.leftOut == open.count)
                if policy == .keepLatest {
                    #expect(batch.elements == open.suffix(batch.elements.count).map(\.number))
                }
                sent += batch.elements.count
                leftOut += batch.leftOut
                open = []
            }
            let bytes = Int.random(in: 1...900, using: &random)
            _ = window.offer(number, bytes: bytes, now: now, random: &random)
            open.append((number, bytes))
        }
        let rest = window.takeAll()
        let last = try #require(rest)
        sent += last.elements.count
        leftOut += last.leftOut
        #expect(window.counts.received == 5_000)
        #expect((window.counts.sent, window.counts.leftOut) == (sent, leftOut))
        #expect(sent + leftOut == 5_000)
        #expect(leftOut > 500, "there was something to decide")
    }
}
