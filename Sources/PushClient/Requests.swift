import NIOCore

/// Names of requests, counted from 1 and used once.
struct Refs: Equatable {
    private var last = 0

    mutating func next() -> Int {
        last += 1
        return last
    }
}

/// Requests that wait for the server's answer, by `ref`. Pings have none on the wire: a pong answers the oldest.
struct Requests {
    typealias Answer = Result<Int, PushClientError>

    /// More would say that the application does not wait for answers.
    static let waitingMax = 1_024

    private struct Waiting {
        let connection: Int
        let isPing: Bool
        let continuation: CheckedContinuation<Answer, Never>
    }

    private var waiting: [Int: Waiting] = [:]

    var isFull: Bool { waiting.count >= Self.waitingMax }

    mutating func add(
        _ ref: Int, on connection: Int, isPing: Bool, _ continuation: CheckedContinuation<Answer, Never>
    ) {
        waiting[ref] = Waiting(connection: connection, isPing: isPing, continuation: continuation)
    }

    /// An answer to what is not waited for any more is let go.
    mutating func answered(_ ref: Int, _ answer: Answer) {
        waiting.removeValue(forKey: ref)?.continuation.resume(returning: answer)
    }

    mutating func ponged(by connection: Int) {
        let oldest = waiting.filter { $0.value.isPing && $0.value.connection == connection }.keys.min()
        if let oldest { answered(oldest, .success(0)) }
    }

    mutating func fail(of connection: Int) {
        for ref in waiting.filter({ $0.value.connection == connection }).keys.sorted() { answered(ref, .notConnected) }
    }

    mutating func failAll() {
        for ref in waiting.keys.sorted() { answered(ref, .notConnected) }
    }
}

extension Requests.Answer {
    static let notConnected = Requests.Answer.failure(PushClientError(.notConnected, "the connection was lost"))
}

extension PushClient {
    /// Sends a frame with a new `ref` and waits for its answer.
    func request(isPing: Bool = false, _ frame: (_ ref: Int) -> ClientFrame) async throws(PushClientError) -> Int {
        guard let connection = activeConnection, let wire = wires[connection] else {
            throw PushClientError(.notConnected, "there is no connection now")
        }
        guard !requests.isFull else { throw PushClientError(.invalidInput, "too many requests wait for answers") }
        let ref = refs.next()
        wire.send(frame(ref))
        let timeout = loop.scheduleTask(in: TimeAmount(configuration.requestTimeout)) { [weak self] in
            self?.assumeIsolated {
                $0.requests.answered(ref, .failure(PushClientError(.timedOut, "no answer in time")))
            }
        }
        defer { timeout.cancel() }
        return try await withCheckedContinuation { continuation in
            requests.add(ref, on: connection, isPing: isPing, continuation)
        }.get()
    }
}
