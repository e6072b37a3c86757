import Synchronization
import Testing

@testable import PushClient

@Suite(.timeLimit(.minutes(1))) struct MessageQueueTests {
    private func message(_ id: Int) -> PushClient.Message {
        PushClient.Message(id: "\(id)", data: [], timestamp: 0, wantsAcknowledgement: false)
    }

    @Test func `messages come out in order`() async {
        let queue = MessageQueue(countMax: 1_000)
        for id in 0..<500 { #expect(queue.push(message(id))) }
        for id in 0..<500 { #expect(await queue.next() == message(id)) }
    }

    @Test func `a full queue stops the reading, and half an empty one resumes it once`() async {
        let queue = MessageQueue(countMax: 4)
        let resumed = Mutex(0)
        queue.onResume { resumed.withLock { $0 += 1 } }
        #expect((0..<4).map { queue.push(message($0)) } == [true, true, true, false])
        #expect(!queue.push(message(4)))
        _ = await queue.next()
        _ = await queue.next()
        #expect(resumed.withLock { $0 } == 0)
        _ = await queue.next()
        #expect(resumed.withLock { $0 } == 1)
        _ = await queue.next()
        #expect(resumed.withLock { $0 } == 1)
        #expect(queue.push(message(5)))
    }

    @Test func `what is in a finished queue can still be taken`() async {
        let queue = MessageQueue(countMax: 4)
        #expect(queue.push(message(1)))
        queue.finish()
        #expect(await queue.next() == message(1))
        #expect(await queue.next() == nil)
        #expect(queue.push(message(2)))
        #expect(await queue.next() == nil)
    }

    @Test func `a waiting reader ends with the queue, or with its task`() async {
        let queue = MessageQueue(countMax: 4)
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        let waiting = Task { await queue.next() }
        queue.finish()
        #expect(await waiting.value == nil)
    }

    @Test func `several readers share the messages`() async {
        let queue = MessageQueue(countMax: 1_000)
        let readers = (0..<4).map { _ in
            Task {
                var seen: [String] = []
                while let message = await queue.next() { seen.append(message.id) }
                return seen
            }
        }
        for id in 0..<400 { _ = queue.push(message(id)) }
        queue.finish()
        var all: [String] = []
        for reader in readers { all += await reader.value }
        #expect(Set(all).count == 400)
        #expect(all.count == 400)
    }
}
