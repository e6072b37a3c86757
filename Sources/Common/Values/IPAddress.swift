import Foundation

/// An IPv4 or IPv6 address as a number, so that comparing addresses and blocks of them makes no text.
///
/// Kept as IPv6 always: `10.0.0.7` is `::ffff:10.0.0.7` (RFC 4291, section 2.5.5.2). A listener on `[::]` sees IPv4
/// peers in that form, and they must be the same addresses there as elsewhere.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    let bits: UInt128

    private init(bits: UInt128) { self.bits = bits }

    /// - Parameter ipv4: most significant byte first: `10.0.0.7` is `0x0A00_0007`.
    package init(ipv4: UInt32) { bits = 0xFFFF_0000_0000 | UInt128(ipv4) }

    /// The address as it is on the wire: 4 bytes or 16, the most significant one first. Nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        let number = bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: number))
        case 16: self.init(bits: number)
        default: return nil
        }
    }

    /// `10.0.0.7`, without leading zeros, or `2001:db8::7`, without brackets or zone.
    package init?(_ text: String) {
        // The C library reads up to a NUL and stops; nothing but these bytes gets that far.
        guard (2...45).contains(text.utf8.count), text.utf8.allSatisfy(\.isAddressByte) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let number = withUnsafeBytes(of: six) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
            self.init(bits: number)
        } else {
            return nil
        }
    }

    package var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// `127.0.0.0/8` or `::1`.
    package var isLoopback: Bool { isIPv4 ? bits >> 24 & 0xFF == 127 : bits == 1 }

    /// In the form of RFC 5952.
    package var description: String {
        guard !isIPv4 else {
            return [24, 16, 8, 0].map { "\(bits >> UInt128($0) & 0xFF)" }.joined(separator: ".")
        }
        var network = bits.bigEndian
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &network, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension UInt8 {
    /// A digit, a hex letter, a dot or a colon.
    fileprivate var isAddressByte: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
