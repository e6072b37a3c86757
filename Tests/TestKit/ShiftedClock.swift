import Common
import Synchronization

/// A clock that goes on by itself and can be set ahead or back, so that a test need not wait for a lease to run out.
package final class ShiftedClock: Sendable {
    private let milliseconds = Mutex<Int64>(0)

    package init() {}

    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        milliseconds.withLock { $0 += seconds * 1000 + attoseconds / 1_000_000_000_000_000 }
    }

    /// What to add to the true time.
    package var shift: Int64 { milliseconds.withLock { $0 } }

    /// Unix milliseconds.
    package var now: UInt64 { UInt64(clamping: Int64(clamping: WallClock.milliseconds()) + shift) }
}
