import PushCore

/// What all Janus sessions of a node have in common. A class, so that each connection holds eight bytes of it.
final class JanusRules: Sendable {
    /// Longest frame, and longest object of a publish, without terminators.
    let frameBytesMax: Int
    /// What somebody without a token may do.
    let permissions: SessionPermissions
    /// Unix microseconds: the greeting tells the time.
    let clock: @Sendable () -> UInt64

    init(frameBytesMax: Int, permissions: SessionPermissions, clock: @escaping @Sendable () -> UInt64) {
        self.frameBytesMax = frameBytesMax
        self.permissions = permissions
        self.clock = clock
    }
}
