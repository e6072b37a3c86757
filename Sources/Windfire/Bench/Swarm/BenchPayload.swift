import Foundation

/// What the bench pushes: number, time of sending, and padding to the asked size. Found again by a search for bytes,
/// since the payload arrives byte for byte as it was sent; no JSON is parsed for a delivery.
enum BenchPayload {
    /// - Parameters:
    ///   - nanoseconds: of the monotonic clock, just before the POST.
    ///   - byteCount: at least 64; shorter ones come out as long as they must be.
    static func make(run: UInt32, sequence: Int, nanoseconds: UInt64, byteCount: Int) -> [UInt8] {
        let head = #"{"seq":\#(sequence),"t":\#(nanoseconds),"run":\#(run),"pad":""#
        let padding = max(0, byteCount - head.utf8.count - 2)
        return Array(head.utf8) + Array(repeating: UInt8(ascii: "x"), count: padding) + Array(#""}"#.utf8)
    }

    struct Stamp: Equatable {
        let sequence: Int64
        let nanoseconds: UInt64
        let run: UInt32
    }

    private static let markers: (sequence: [UInt8], time: [UInt8], run: [UInt8]) = (
        Array(#"{"seq":"#.utf8), Array(#","t":"#.utf8), Array(#","run":"#.utf8)
    )

    /// Nil for anything else.
    static func stamp(in bytes: UnsafeRawBufferPointer) -> Stamp? {
        var place = 0
        guard find(bytes, &place), let sequence = number(bytes, &place), skip(bytes, &place, markers.time),
            let nanoseconds = number(bytes, &place), skip(bytes, &place, markers.run),
            let run = number(bytes, &place)
        else { return nil }
        return Stamp(
            sequence: Int64(truncatingIfNeeded: sequence), nanoseconds: nanoseconds,
            run: UInt32(truncatingIfNeeded: run))
    }

    /// Moves behind the first marker. A frame has one brace before it, so the search for braces is short.
    private static func find(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        while place < bytes.count, let brace = memchr(base + place, 0x7B, bytes.count - place) {
            place = UnsafeRawPointer(brace) - base
            if skip(bytes, &place, markers.sequence) { return true }
            place += 1
        }
        return false
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64? {
        let start = place
        var value: UInt64 = 0
        while place < bytes.count, place - start < 19, (0x30...0x39).contains(bytes[place]) {
            value = value * 10 + UInt64(bytes[place] - 0x30)
            place += 1
        }
        return place > start ? value : nil
    }

    private static func skip(_ bytes: UnsafeRawBufferPointer, _ place: inout Int, _ text: [UInt8]) -> Bool {
        guard bytes.count - place >= text.count else { return false }
        for (offset, byte) in text.enumerated() where bytes[place + offset] != byte { return false }
        place += text.count
        return true
    }
}
