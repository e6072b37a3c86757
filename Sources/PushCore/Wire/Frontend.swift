import Common
import NIOCore

/// One wire protocol of one connection. Bytes in, events out; commands in, bytes out. No sockets, no clock, no waiting,
/// and nothing of what a session decides: a front-end holds only what its wire needs (half-read frames, packet ids).
///
/// Adding a protocol means a folder under `PushServer/Frontends/` and a line in `FrontendSelector`; nothing else.
package protocol Frontend {
    /// Sessions with equal keys share one encoded buffer for the same message.
    var encodingKey: EncodingKey { get }

    /// What the wire asks of the session behind it.
    var traits: FrontendTraits { get }

    /// Takes what it can from `bytes` and leaves an incomplete rest for the next call.
    /// - Throws: when the bytes break the protocol. Events appended before that still count.
    mutating func receive(_ bytes: inout ByteBuffer, into events: inout [SessionEvent]) throws(WireError)

    /// Appends the bytes of a command. The encoding of `.message` depends on nothing but `encodingKey` and the message.
    mutating func encode(_ command: SessionCommand, into bytes: inout ByteBuffer)
}

extension Frontend {
    package var traits: FrontendTraits { .standard }
}

/// What differs between wires besides their bytes.
package struct FrontendTraits: Equatable, Sendable {
    /// How it is found out whether the device is there.
    package let liveness: Liveness
    /// A client of this wire recognises an answer only where it ends what was read: each leaves at once, and nothing
    /// that is written later shares its segment.
    package let answersAlone: Bool

    package init(liveness: Liveness, answersAlone: Bool) {
        self.liveness = liveness
        self.answersAlone = answersAlone
    }

    package static let standard = FrontendTraits(liveness: .answered, answersAlone: false)
}

/// Names an encoding, so that a message is encoded once for all sessions that share it.
package struct EncodingKey: Hashable, Sendable {
    private let number: UInt8

    /// JSON in WebSocket text frames (subprotocol `windfire.v1`).
    package static let json = EncodingKey(number: 0)
    /// What comes in goes out: the conformance endpoint.
    package static let echo = EncodingKey(number: 1)
    /// Janus, the protocol of hotwheels.
    package static let janus = EncodingKey(number: 2)
}

/// Bytes that break a protocol: why the connection ends, and a constant sentence for the log.
package struct WireError: Error, Equatable {
    package let reason: CloseReason
    package let detail: StaticString

    package init(_ reason: CloseReason, _ detail: StaticString) {
        self.reason = reason
        self.detail = detail
    }

    package static func == (left: WireError, right: WireError) -> Bool { left.reason == right.reason }
}
