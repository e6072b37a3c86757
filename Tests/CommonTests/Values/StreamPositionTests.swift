import Common
import Testing

@Suite struct StreamPositionTests {
    @Test(arguments: [
        ("0-0", 0, 0), ("1732-0", 1732, 0), ("1795246312220-42", 1_795_246_312_220, 42),
        ("18446744073709551615-18446744073709551615", UInt64.max, UInt64.max), ("007-1", 7, 1),
    ])
    func `what Redis Streams write is read`(text: String, milliseconds: UInt64, sequence: UInt64) {
        let position = StreamPosition(milliseconds: milliseconds, sequence: sequence)
        #expect(StreamPosition(text) == position)
        #expect(StreamPosition(position.messageID) == position)
    }

    @Test(arguments: [
        "", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1 -2", "1-2 ", "a-1", "0x1-2", "18446744073709551616-0",
        "1-18446744073709551616", "99999999999999999999999-1", "٣-١", "018f3a6e-7b7c-7b7c-8b7c-0123456789ab",
    ])
    func `nothing else is`(text: String) { #expect(StreamPosition(text) == nil) }

    @Test func `order is that of time, then of number`() {
        let texts = ["0-0", "0-1", "9-2", "9-10", "10-1", "10-2", "100-0"]
        let positions = texts.compactMap { StreamPosition($0) }
        #expect(positions.count == texts.count)
        #expect(positions.shuffled().sorted() == positions)
    }
}

@Suite struct JobIDTests {
    @Test func `a UUID of version 7 is read, of either case, and written in lower case`() throws {
        // RFC 9562, appendix A.6.
        let job = try JobID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
        #expect(job.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(job.uuid.high >> 16 == 0x017F_22E2_79B0)
        #expect(try JobID(job.description) == job)
    }

    @Test(arguments: [
        "", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-18c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2_79b0_7cc3_98c4_dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ])
    func `anything else is a named error`(text: String) {
        let error = #expect(throws: WindfireError.self) { try JobID(text) }
        #expect(error?.code == .invalidID)
    }

    @Test func `jobs sort by when they were made`() {
        let jobs = [1, 2, 1 << 40].map { JobID(UUIDv7(unixMilliseconds: $0, random: (.max, .max))) }
        #expect(jobs.shuffled().sorted() == jobs)
    }
}
