/// Which messages of one sender a device has: 16 bytes for each device. Pure.
struct SequenceCheck: Equatable, Sendable {
    enum Verdict: Equatable {
        case new
        /// New, but a later one came before it.
        case reordered
        case duplicate
    }

    /// -1 before the first.
    private var highest: Int64 = -1
    /// Bit n: `highest - n` is here.
    private var window: UInt64 = 0

    /// A message more than 63 behind the highest counts as a duplicate: the window does not reach it.
    mutating func received(_ sequence: Int64) -> Verdict {
        if sequence > highest {
            let step = sequence - highest
            window = step > 63 ? 1 : window << UInt64(step) | 1
            highest = sequence
            return .new
        }
        let behind = highest - sequence
        guard behind <= 63, window & 1 << UInt64(behind) == 0 else { return .duplicate }
        window |= 1 << UInt64(behind)
        return .reordered
    }
}
