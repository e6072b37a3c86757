import Histogram
import NIOCore
import Testing

@testable import Windfire

@Suite struct SequenceCheckTests {
    @Test func `messages in order are new`() {
        var check = SequenceCheck()
        for sequence in 0..<1_000 as Range<Int64> { #expect(check.received(sequence) == .new) }
    }

    @Test func `one that comes again is a duplicate, one that comes late is out of order once`() {
        var check = SequenceCheck()
        #expect(check.received(0) == .new)
        #expect(check.received(0) == .duplicate)
        #expect(check.received(3) == .new)
        #expect(check.received(1) == .reordered)
        #expect(check.received(1) == .duplicate)
        #expect(check.received(2) == .reordered)
        #expect(check.received(3) == .duplicate)
    }

    @Test func `a jump past the window forgets what is behind it`() {
        var check = SequenceCheck()
        #expect(check.received(0) == .new)
        #expect(check.received(63) == .new)
        #expect(check.received(0) == .duplicate)
        #expect(check.received(1) == .reordered)
        #expect(check.received(200) == .new)
        #expect(check.received(137) == .reordered)
        #expect(check.received(136) == .duplicate)
    }
}

@Suite struct BenchPayloadTests {
    private func stamp(_ text: String) -> BenchPayload.Stamp? {
        Array(text.utf8).withUnsafeBytes { BenchPayload.stamp(in: $0) }
    }

    @Test func `a stamp is found again within the server's frame, at the asked size`() {
        let payload = BenchPayload.make(run: 7, sequence: 12, nanoseconds: 345, byteCount: 100)
        #expect(payload.count == 100)
        let frame =
            #"{"op":"message","id":"x","data":"# + String(decoding: payload, as: UTF8.self) + #","ts":1,"ack":false}"#
        #expect(stamp(frame) == .init(sequence: 12, nanoseconds: 345, run: 7))
    }

    @Test(arguments: [
        "", "{", #"{"seq":"#, #"{"seq":1"#, #"{"seq":1,"t":"#, #"{"seq":1,"t":2,"run":"#, #"{"seq":x,"t":2,"run":3"#,
        #"{"seq":12345678901234567890123,"t":2,"run":3}"#, #"{"op":"message","data":{"hi":1}}"#,
    ])
    func `what the bench did not make has no stamp`(text: String) {
        #expect(stamp(text) == nil)
    }
}

@Suite struct ServerFrameScannerTests {
    private func frame(_ opcode: UInt8, _ count: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x80 | opcode)
        switch count {
        case 0..<126: buffer.writeInteger(UInt8(count))
        case 126..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(count))
        }
        buffer.writeRepeatingByte(0x61, count: count)
        return buffer
    }

    @Test(arguments: [0, 1, 125, 126, 300, 65_535, 65_536, 70_000])
    func `a frame of each length form is cut out`(count: Int) {
        var buffer = frame(1, count)
        #expect(ServerFrameScanner.next(&buffer) == .frame(opcode: 1, payloadBytes: count))
        #expect(buffer.readableBytes == count)
    }

    @Test(arguments: [3, 130])
    func `every prefix of a frame waits for more and takes nothing`(count: Int) {
        let whole = frame(9, count)
        for end in 0..<whole.readableBytes {
            var part = whole.getSlice(at: 0, length: end) ?? ByteBuffer()
            #expect(ServerFrameScanner.next(&part) == .needsMore)
            #expect(part.readableBytes == end)
        }
    }

    @Test func `masked, fragmented and monstrous frames are bad`() {
        for bytes in [[0x81, 0x81, 0, 0, 0, 0, 0], [0x01, 0x00], [0x81, 127, 0x7F, 0, 0, 0, 0, 0, 0, 0]] as [[UInt8]] {
            var buffer = ByteBuffer(bytes: bytes)
            #expect(ServerFrameScanner.next(&buffer) == .bad)
        }
    }
}

@Suite struct DistributionTests {
    @Test func `helpers' histograms add up to one`() {
        var whole = Histogram<UInt64>.microseconds
        var parts = [Histogram<UInt64>.microseconds, .microseconds]
        for value in 1...1_000 as ClosedRange<UInt64> {
            whole.record(nanoseconds: value * 1_000)
            parts[Int(value % 2)].record(nanoseconds: value * 1_000)
        }
        var sum = Histogram<UInt64>.microseconds
        for part in parts { sum.add(sparse: part.sparse) }
        #expect(sum.sparse == whole.sparse)
        #expect(Distribution(sum).count == 1_000)
        #expect(Distribution(sum).p50_us == 500)
    }

    @Test func `an empty histogram is all zeros`() {
        let empty = Distribution(.microseconds)
        #expect([empty.count, empty.p50_us, empty.p99_us, empty.max_us] == [0, 0, 0, 0])
        #expect(empty.mean_us == 0)
    }

    @Test func `times beyond the range are kept at its end`() {
        var histogram = Histogram<UInt64>.microseconds
        histogram.record(nanoseconds: .max)
        #expect(histogram.totalCount == 1)
    }
}
