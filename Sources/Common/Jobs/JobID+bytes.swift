// How a job id is kept: its 16 bytes, most significant first, so that a database sorts ids as it sorts bytes, by time.

extension JobID {
    package var bytes: [UInt8] {
        [uuid.high, uuid.low].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
        }
    }

    /// Nil unless these are the 16 bytes of a UUIDv7.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        func half(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        guard let uuid = UUIDv7(high: half(bytes.prefix(8)), low: half(bytes.dropFirst(8))) else { return nil }
        self.init(uuid)
    }
}

extension UUIDv7 {
    /// The two halves of a UUID; nil when its version is not 7 or its variant not that of RFC 9562.
    fileprivate init?(high: UInt64, low: UInt64) {
        self.init(unixMilliseconds: high >> 16, random: (high, low))
        guard self.high == high, self.low == low else { return nil }
    }
}
