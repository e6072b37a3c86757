import NIOCore

/// What many sessions are told at once, and its encodings: each made when a session first asks for it, and shared by
/// all that use it. Several messages that leave together become one run of bytes, and so one write for each session.
///
/// Nodes have a handful of encodings and nearly every fan-out uses one, so a list with a linear search is the fastest
/// map.
package struct SharedEncoding {
    private let commands: [SessionCommand]
    /// Messages in it: what a session that takes it counts.
    package let messageCount: Int
    /// Of a single message.
    package let collapseKey: String?
    private var encodings: [(key: EncodingKey, bytes: ByteBuffer)] = []

    package init(_ message: Message) {
        commands = [.message(message)]
        messageCount = 1
        collapseKey = message.collapseKey
    }

    /// Messages that leave together, in their order.
    package init(_ commands: [SessionCommand]) {
        self.commands = commands
        messageCount = commands.reduce(0) { $0 + $1.messageCount }
        collapseKey = nil
    }

    /// The bytes in an encoding, if a session has asked for them.
    package func known(in key: EncodingKey) -> ByteBuffer? {
        for known in encodings where known.key == key { return known.bytes }
        return nil
    }

    /// The bytes in an encoding.
    /// - Parameter encode: appends the bytes of one command; called for the first session of this encoding.
    package mutating func bytes(
        in key: EncodingKey, encode: (SessionCommand, inout ByteBuffer) -> Void
    ) -> ByteBuffer {
        if let known = known(in: key) { return known }
        var bytes = ByteBuffer()
        for command in commands { encode(command, &bytes) }
        encodings.append((key, bytes))
        return bytes
    }
}

extension SessionCommand {
    fileprivate var messageCount: Int {
        switch self {
        case .message: 1
        case .batch(_, let messages, _): messages.count
        default: 0
        }
    }
}
