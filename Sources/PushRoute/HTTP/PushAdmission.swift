import Common
import Synchronization

/// How many pushes, and how many bytes of their bodies, this process works on at once. Bodies may be large, and a crowd
/// of them must not become a crowd of buffers; who comes on top is told to come back.
package final class PushAdmission: Sendable {
    package struct Configuration: Sendable {
        package var pushesMax = 1_000
        /// Eight of the largest bodies.
        package var bytesMax = 512 << 20

        package init() {}
    }

    private let configuration: Configuration
    private let underWay = Mutex((pushes: 0, bytes: 0))

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Runs the body when there is room for it.
    /// - Parameter bytes: what the push may need, at most. The first one is let in whatever it needs.
    /// - Throws: `rate_limited`, or what the body throws.
    func admit<Value>(
        bytes: Int, _ body: () async throws(WindfireError) -> Value
    ) async throws(WindfireError) -> Value {
        let isAdmitted = underWay.withLock { now in
            let isFree = now.pushes == 0 || now.bytes + bytes <= configuration.bytesMax
            guard now.pushes < configuration.pushesMax, isFree else { return false }
            now.pushes += 1
            now.bytes += bytes
            return true
        }
        guard isAdmitted else {
            throw WindfireError(.rateLimited, "too many pushes are under way here", retryAfter: .seconds(1))
        }
        defer {
            underWay.withLock { now in
                now.pushes -= 1
                now.bytes -= bytes
            }
        }
        return try await body()
    }
}
