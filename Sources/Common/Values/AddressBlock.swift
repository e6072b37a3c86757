/// Addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32` (RFC 4632, section 3.1; RFC 4291, section 2.3), or one
/// address alone.
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    private let first: IPAddress
    /// How many bits are the same in all of them, of the 128 that `IPAddress` has.
    private let prefixLength: Int

    /// Nil also for a block whose first address has bits behind the prefix, such as `10.0.0.7/8`: whether one address
    /// or sixteen million were meant cannot be told.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(parts[1]), given <= width
            else { return nil }
            length = given
        }
        guard length == width || address.bits << UInt128(128 - width + length) == 0 else { return nil }
        first = address
        prefixLength = 128 - width + length
    }

    /// `::/0` has every IPv6 address and no IPv4 one.
    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == first.isIPv4 && (address.bits ^ first.bits) >> UInt128(128 - prefixLength) == 0
    }

    package var description: String {
        let width = first.isIPv4 ? 32 : 128
        let length = prefixLength - (128 - width)
        return length == width ? "\(first)" : "\(first)/\(length)"
    }
}
