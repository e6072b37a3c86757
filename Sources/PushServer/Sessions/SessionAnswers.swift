// What a session answers to the shard, and what a connection is told that gets no session.

import NIOCore

/// What became of a message at one session.
enum DeliveryVerdict {
    case written, refused, gone
}

/// The listener takes no more connections: what the newcomer is told.
struct Refusal {
    let response: ByteBuffer
}
