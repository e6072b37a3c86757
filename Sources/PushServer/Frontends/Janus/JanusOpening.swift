import NIOCore

/// Whether a connection to the common port speaks Janus, by its first bytes.
///
/// All begin with the prefix, by the protocol; a client that leaves it out is taken as well. Its words begin as some
/// methods of HTTP do, and differ from them in a byte at the latest after the word: a space there, 0x00 here.
enum JanusOpening {
    enum Look: Equatable {
        case janus, other
        /// The bytes so far may begin either.
        case undecided
    }

    private static let beginnings = ["\(JanusFrame.prefix)\0", "PING\0", "PONG\0", "PUBLISH\0", "{"].map {
        Array($0.utf8)
    }

    static func look(at bytes: ByteBuffer) -> Look {
        let given = bytes.readableBytesView
        var look = Look.other
        for beginning in beginnings {
            guard zip(given, beginning).allSatisfy({ $0 == $1 }) else { continue }
            if given.count >= beginning.count { return .janus }
            look = .undecided
        }
        return look
    }
}
