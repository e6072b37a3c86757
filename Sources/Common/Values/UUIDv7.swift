/// A UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits, so that ids sort
/// roughly by time. Pure: time and randomness are handed in.
package struct UUIDv7: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(unixMilliseconds: UInt64, random: (UInt64, UInt64)) {
        high = unixMilliseconds << 16 | 0x7000 | random.0 & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// 8-4-4-4-12 hex digits of either case, version 7 and the variant of RFC 9562; nil for anything else.
    package init?(_ text: some StringProtocol) {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for (place, byte) in text.utf8.enumerated() {
            let isDash = byte == UInt8(ascii: "-")
            guard place < 36, isDash == (place == 8 || place == 13 || place == 18 || place == 23) else { return nil }
            if !isDash { digits.append(byte) }
        }
        guard let high = UInt64(hex16: String(decoding: digits.prefix(16), as: UTF8.self)),
            let low = UInt64(hex16: String(decoding: digits.dropFirst(16), as: UTF8.self)),
            high >> 12 & 0xF == 7, low >> 62 == 2
        else { return nil }
        (self.high, self.low) = (high, low)
    }

    package var description: String {
        let digits = Array((high.hex16 + low.hex16).utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (place, digit) in digits.enumerated() {
            if place == 8 || place == 12 || place == 16 || place == 20 { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
