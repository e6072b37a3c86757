import Common

/// Calls of `subscribe` that wait until the server has said yes or no. They are not requests of one connection: a
/// subscription that is put off, or moves, is said again with another `ref`.
struct SubscribeWaiters {
    typealias Answer = Result<Void, PushClientError>

    private struct Waiting {
        let pattern: TopicPattern
        let continuation: CheckedContinuation<Answer, Never>
    }

    private var last = 0
    private var waiting: [Int: Waiting] = [:]

    var isFull: Bool { waiting.count >= Requests.waitingMax }

    mutating func nextID() -> Int {
        last += 1
        return last
    }

    mutating func add(_ id: Int, _ pattern: TopicPattern, _ continuation: CheckedContinuation<Answer, Never>) {
        waiting[id] = Waiting(pattern: pattern, continuation: continuation)
    }

    /// One that does not wait any more is let go.
    mutating func settle(_ id: Int, _ answer: Answer) {
        waiting.removeValue(forKey: id)?.continuation.resume(returning: answer)
    }

    mutating func settle(_ pattern: TopicPattern, _ answer: Answer) {
        for id in waiting.filter({ $0.value.pattern == pattern }).keys.sorted() { settle(id, answer) }
    }

    mutating func settleAll(_ answer: Answer) {
        for id in waiting.keys.sorted() { settle(id, answer) }
    }
}
