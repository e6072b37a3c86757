/// Why a command got no reply. What Redis itself answers, errors included, is a `RESPValue`.
package enum RedisFailure: Error, Hashable, Sendable {
    /// There is no connection to the node, and none came within the command timeout.
    case unreachable(String)
    /// No reply within the command timeout. The connection was closed, since the reply may still come.
    case timedOut
    /// The connection ended while the reply was awaited. The command may have been carried out or not.
    case connectionLost(String)
    /// Too many commands wait already.
    case overloaded
    /// The server did not accept the user and password, or wants some.
    case refused(String)
    /// The server spoke something that is not RESP, or more than the bounds allow.
    case malformedReply(String)
    /// The client was shut down.
    case shutDown
}

package typealias RedisReply = Result<RESPValue, RedisFailure>
