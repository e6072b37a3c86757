import Glibc
import NIOCore

/// The socket under a connection, for messages that may leave at once: no TLS around it, and nothing of the channel's
/// own waiting before it. A fan-out then costs a session one system call and no visit to the channel's pipeline and
/// queues, whose objects are cold in the cache each time.
///
/// Valid from the opening to `channelInactive`: NIO closes the descriptor and tells the handler in one go on the loop,
/// so nothing of ours runs in between, and a number that the kernel has given to somebody else is never written to.
struct DirectSocket {
    private let descriptor: CInt

    private init(descriptor: CInt) { self.descriptor = descriptor }

    /// Where none is known.
    static let none = DirectSocket(descriptor: -1)

    /// Nil when the channel is not a socket.
    init?(_ context: ChannelHandlerContext) {
        let transport = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        guard let transport else { return nil }
        descriptor = transport
    }

    /// How many bytes the kernel took: fewer than asked when its buffer is full. Errors show up again on the channel's
    /// next read or write, which ends it; here they count as a full buffer.
    func send(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            // send(2): MSG_NOSIGNAL, since a peer that is gone is no reason to die; MSG_DONTWAIT is the socket's mode.
            max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)))
        }
    }
}
