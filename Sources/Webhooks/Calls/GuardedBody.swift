import NIOCore

/// A request's body that is let go at the last moment: `check` runs when the connection is open and the first byte of
/// the body is asked for. Opening a connection may take seconds, in which what the body says can have become untrue;
/// then `check` throws, and the request ends without having said anything.
struct GuardedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: [UInt8]
    let check: @Sendable () async throws -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: GuardedBody
        fileprivate var isDone = false

        mutating func next() async throws -> ByteBuffer? {
            guard !isDone else { return nil }
            isDone = true
            try await source.check()
            return ByteBuffer(bytes: source.bytes)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}
