import CZlib
import Common
import NIOCore

/// Unpacks a body in gzip (RFC 1952) piece by piece: the one place that calls zlib. Several members one after the other
/// are one body, as the RFC has it.
///
/// Two bounds hold against bodies that were made to become enormous: the size, and what one received byte becomes on
/// average. zlib itself takes about 40 KiB.
final class Inflater {
    /// A small body may well be one letter repeated; the ratio counts from here.
    private static let ratioCountsFrom = 1 << 20
    private static let outputBytes = 64 << 10
    /// The largest window, and a gzip header is demanded (zlib.h, inflateInit2).
    private static let windowBits: Int32 = 15 + 16

    private let bytesMax: Int
    private let ratioMax: Int
    /// On the heap of its own, because zlib keeps the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input = ByteBuffer()
    private var received = 0
    private var unpacked = 0
    /// At the end of a member, and so perhaps of the body.
    private var isAtEnd = false

    /// - Throws: `internal_error` when there is no memory.
    init(limits: Limits) throws(WindfireError) {
        bytesMax = limits.pushUnpackedBytesMax
        ratioMax = limits.pushUnpackedRatioMax
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = windfire_inflate_init(stream, Self.windowBits)
        guard status == Z_OK else { throw WindfireError(.internalError, "zlib cannot begin: \(status)") }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Call `next` until there is nothing more, then give the next piece.
    func add(_ piece: ByteBuffer) {
        precondition(input.readableBytes == 0, "a piece is unpacked before the next one is given")
        input = piece
        received += piece.readableBytes
    }

    /// - Returns: at most 64 KiB; nil when the piece is used up.
    /// - Throws: `invalid_request` when the bytes are not gzip, `payload_too_large` beyond the bounds.
    func next() throws(WindfireError) -> ByteBuffer? {
        while true {
            if isAtEnd {
                guard input.readableBytes > 0 else { return nil }
                inflateReset(stream)
                isAtEnd = false
            }
            var output = ByteBuffer()
            let written = try unpack(into: &output)
            unpacked += written
            guard unpacked <= bytesMax else {
                throw WindfireError(.payloadTooLarge, "the body is longer than \(bytesMax) bytes when unpacked")
            }
            guard unpacked <= Self.ratioCountsFrom || unpacked / ratioMax <= received else {
                throw WindfireError(
                    .payloadTooLarge, "the body becomes more than \(ratioMax) times as long when unpacked")
            }
            if written > 0 { return output }
            if input.readableBytes == 0 { return nil }
        }
    }

    /// The body has ended.
    /// - Throws: `invalid_request` unless the gzip member has too.
    func finish() throws(WindfireError) {
        guard isAtEnd else { throw WindfireError(.invalidRequest, "the body in gzip ended early") }
    }

    private func unpack(into output: inout ByteBuffer) throws(WindfireError) -> Int {
        var status = Z_OK
        let before = input.readableBytes
        let written = output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputBytes) { space in
            input.readWithUnsafeMutableReadableBytes { bytes in
                // The pointers are valid until the closures end, and zlib does not look at them afterwards.
                stream.pointee.next_in = bytes.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_in = UInt32(bytes.count)
                stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(min(space.count, Self.outputBytes))
                let room = stream.pointee.avail_out
                status = inflate(stream, Z_NO_FLUSH)
                let used = bytes.count - Int(stream.pointee.avail_in)
                let produced = Int(room - stream.pointee.avail_out)
                (stream.pointee.next_in, stream.pointee.next_out) = (nil, nil)
                (stream.pointee.avail_in, stream.pointee.avail_out) = (0, 0)
                return (used, produced)
            }
        }
        switch status {
        case Z_OK: break
        case Z_STREAM_END: isAtEnd = true
        // Nothing to do: all input used and all output given (zlib.h, inflate).
        case Z_BUF_ERROR where written == 0 && input.readableBytes == before && before == 0: break
        default: throw WindfireError(.invalidRequest, "the body is not valid gzip")
        }
        return written
    }
}
