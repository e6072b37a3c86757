import NIOCore
import Testing

@testable import PushServer

@Suite struct ReceiveBuffersTests {
    private func capacities(after reads: [Int]) -> [Int] {
        var buffers = ReceiveBuffers()
        let allocator = ByteBufferAllocator()
        return [buffers.buffer(allocator: allocator).capacity]
            + reads.map { read in
                // "May grow": the channel must not use its first buffer again.
                let mayGrow = buffers.record(actualReadBytes: read)
                #expect(mayGrow)
                return buffers.buffer(allocator: allocator).capacity
            }
    }

    @Test func theFirstBufferStaysWithTheChannelAndIsTiny() {
        #expect(capacities(after: []) == [64])
    }

    @Test func laterBuffersGrowWhileTheyAreFilledAndShrinkAgain() {
        #expect(capacities(after: [64, 1_024, 2_048, 4_096]) == [64, 1_024, 2_048, 4_096, 8_192])
        #expect(capacities(after: [64, 1_024, 2_048, 4_096, 8_192, 16_384]).last == 16_384)
        #expect(capacities(after: [64, 1_024, 2_048, 6, 6, 6]) == [64, 1_024, 2_048, 4_096, 2_048, 1_024, 1_024])
    }

    @Test func aShortFirstReadGrowsToo() {
        #expect(capacities(after: [6, 6]) == [64, 1_024, 1_024])
    }
}
