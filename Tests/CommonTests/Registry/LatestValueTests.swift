import Common
import Testing

@Suite("A value and its followers")
struct LatestValueTests {
    @Test("A follower starts with the value now, and a slow one sees the newest only")
    func newestOnly() async {
        let value = LatestValue(0)
        var slow = value.stream().makeAsyncIterator()
        #expect(await slow.next() == 0)
        for next in 1...5 { value.set(next) }
        #expect(await slow.next() == 5)
        #expect(value.value == 5)
    }

    @Test("With room, nothing is skipped")
    func buffered() async {
        let value = LatestValue(0, buffer: 8)
        var follower = value.stream().makeAsyncIterator()
        for next in 1...5 { value.set(next) }
        for expected in 0...5 { #expect(await follower.next() == expected) }
    }

    @Test("An equal value is no news")
    func equal() async {
        let value = LatestValue(1, buffer: 8)
        var follower = value.stream().makeAsyncIterator()
        value.set(1)
        value.set(2)
        #expect(await follower.next() == 1)
        #expect(await follower.next() == 2)
    }

    @Test("Waiting for a value that never comes ends with the task")
    func cancelled() async {
        let value = LatestValue(0)
        let waiting = Task { await value.first { $0 == 1 } }
        waiting.cancel()
        #expect(await waiting.value == nil)
    }
}
