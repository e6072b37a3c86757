import CZlib
import Common
import NIOCore
import TestKit
import Testing

@testable import PushRoute

@Suite struct InflaterTests {
    private func unpack(
        _ packed: [UInt8], cuts: [Int] = [], limits: Limits = .default
    ) throws -> [UInt8] {
        let inflater = try Inflater(limits: limits)
        var output: [UInt8] = []
        for (start, end) in zip([0] + cuts, cuts + [packed.count]) {
            inflater.add(ByteBuffer(bytes: packed[start..<end]))
            while let piece = try inflater.next() {
                #expect(piece.readableBytes <= 64 << 10)
                output += piece.readableBytesView
            }
        }
        try inflater.finish()
        return output
    }

    @Test func unpacksWhateverTheCuts() throws {
        let text = Array((0..<2_000).map { "user-\($0)\n" }.joined().utf8)
        let packed = gzip(text)
        #expect(packed.count < text.count / 3)
        #expect(try unpack(packed) == text)
        for cut in stride(from: 0, through: packed.count, by: 37) {
            #expect(try unpack(packed, cuts: [cut]) == text, "cut at \(cut)")
        }
        #expect(try unpack(packed, cuts: Array(1..<packed.count)) == text)
    }

    @Test func severalMembersAreOneBody() throws {
        let both = gzip(Array("one\n".utf8)) + gzip([]) + gzip(Array("two\n".utf8))
        #expect(try unpack(both) == Array("one\ntwo\n".utf8))
        #expect(try unpack(both, cuts: Array(1..<both.count)) == Array("one\ntwo\n".utf8))
    }

    @Test func everyTruncationIsRefused() {
        let packed = gzip(Array("hello, hello, hello".utf8))
        for count in 0..<packed.count {
            #expect(throws: WindfireError(.invalidRequest, "the body in gzip ended early"), "\(count) bytes") {
                try unpack(Array(packed[..<count]))
            }
        }
    }

    @Test func bytesThatAreNotGzipAreRefused() throws {
        #expect(throws: WindfireError(.invalidRequest, "the body is not valid gzip")) {
            try unpack(Array("{\"to\":1}".utf8))
        }
        let packed = gzip(Array("hello".utf8))
        #expect(throws: WindfireError(.invalidRequest, "the body is not valid gzip")) {
            try unpack(packed + [1, 2, 3])
        }
        var random = SplitMix.printed()
        for _ in 0..<500 {
            var bytes = packed
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            // Refused, or the same: some bytes of the header mean nothing.
            do {
                #expect(try unpack(bytes) == Array("hello".utf8))
            } catch let error as WindfireError {
                #expect(error.code == .invalidRequest)
            }
        }
    }

    @Test func aBombIsRefusedByItsRatioLongBeforeItsEnd() {
        let bomb = gzip(Array(repeating: 0x61, count: 20 << 20))
        #expect(bomb.count < 32 << 10)
        let limit = "the body becomes more than 100 times as long when unpacked"
        #expect(throws: WindfireError(.payloadTooLarge, limit)) { try unpack(bomb) }
    }

    @Test func aBodyHasABoundWhenUnpacked() throws {
        var limits = Limits()
        limits.pushUnpackedBytesMax = 1_000
        #expect(try unpack(gzip(Array(repeating: 0x61, count: 1_000)), limits: limits).count == 1_000)
        #expect(throws: WindfireError(.payloadTooLarge, "the body is longer than 1000 bytes when unpacked")) {
            try unpack(gzip(Array(repeating: 0x61, count: 1_001)), limits: limits)
        }
    }
}

/// Packs bytes as one gzip member.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let begun = deflateInit2_(
        stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    precondition(begun == Z_OK, "zlib begins")
    defer { deflateEnd(stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, UInt(bytes.count))))
    input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            precondition(deflate(stream, Z_FINISH) == Z_STREAM_END, "all of it fits")
        }
    }
    return Array(output.prefix(Int(stream.pointee.total_out)))
}
