import Synchronization

/// Wakes the runner: a job was sealed here, a chunk has ended, or it is time to look. However often it rings while the
/// runner is busy, the runner looks once more.
package final class JobBell: Sendable {
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let stopped = Atomic(false)

    package init() { (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func ring() { continuation.yield() }

    /// Nobody is woken any more.
    func stop() {
        stopped.store(true, ordering: .relaxed)
        continuation.finish()
    }

    var isStopped: Bool { stopped.load(ordering: .relaxed) }
}
