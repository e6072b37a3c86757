import Common

/// Which story a request belongs to: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/).
///
/// One trace id follows a push from the HTTP call to the device's acknowledgement.
package struct TraceContext: Hashable, Sendable {
    /// 32 lower-case hex digits, not all zero.
    package let traceID: String
    /// 16 lower-case hex digits: this hop.
    package let spanID: String
    /// Bit 0 says that the caller records this trace.
    package let flags: UInt8

    package static let none = TraceContext(
        traceID: String(repeating: "0", count: 32), spanID: String(repeating: "0", count: 16), flags: 0)

    private init(traceID: String, spanID: String, flags: UInt8) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
    }

    /// A new trace. Randomness is handed in; zeros are not valid ids and become ones.
    package init(random: (UInt64, UInt64, UInt64)) {
        traceID = (random.0 | random.1 == 0 ? 1 : random.0).hex16 + random.1.hex16
        spanID = max(random.2, 1).hex16
        flags = 0
    }

    /// The caller's trace with a span of our own, or nil when the header does not follow section 3.2.
    ///
    /// Versions above 00 are read by their first four fields, as section 4.1 asks; `ff` is forbidden.
    package init?(traceparent: String, span: UInt64) {
        guard traceparent.utf8.count <= 256 else { return nil }
        let fields = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count >= 4, fields[0].utf8.count == 2, fields[0] != "ff", Self.isLowerHex(fields[0]),
            fields[0] != "00" || fields.count == 4,
            fields[1].utf8.count == 32, Self.isLowerHex(fields[1]), fields[1].utf8.contains(where: Self.isNotZero),
            fields[2].utf8.count == 16, Self.isLowerHex(fields[2]), fields[2].utf8.contains(where: Self.isNotZero),
            fields[3].utf8.count == 2, Self.isLowerHex(fields[3]), let flags = UInt8(fields[3], radix: 16)
        else { return nil }
        self.init(traceID: String(fields[1]), spanID: max(span, 1).hex16, flags: flags & 1)
    }

    /// The header for answers and for calls made on this request's behalf.
    package var traceparent: String { "00-\(traceID)-\(spanID)-0\(flags & 1)" }

    private static func isLowerHex(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    private static func isNotZero(_ byte: UInt8) -> Bool { byte != UInt8(ascii: "0") }
}
