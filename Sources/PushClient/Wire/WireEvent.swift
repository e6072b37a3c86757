/// What a connection tells, on its event loop. `ended` comes exactly once, and last.
enum WireEvent: Sendable {
    /// The upgrade succeeded.
    case opened
    /// One whole text message.
    case text([UInt8])
    /// A ping or pong: a sign of life.
    case heard
    case ended(ConnectionEnd)
}

typealias WireListener = @Sendable (WireEvent) -> Void
