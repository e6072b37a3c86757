// Which addresses a name from outside may lead us to. A URL that somebody configured, or a name whose owner changed his
// DNS, must not turn a server of ours into a door to its own network (CWE-918, server-side request forgery).

extension IPAddress {
    /// Whether anybody on the internet may have this address: neither loopback, private, link-local, multicast, nor
    /// otherwise set apart, and not one under which a cloud hands out credentials.
    ///
    /// IPv4 addresses in IPv6 clothes are looked at as what they are: mapped ones by `IPAddress` itself, those behind a
    /// NAT64 (RFC 6052) here. Other IPv6 counts only inside `2000::/3`, all that is given out so far.
    package var isPublic: Bool {
        if let inner = translated { return inner.isPublic }
        guard isIPv4 || Self.globalUnicast.contains(self) else { return false }
        return !Self.setApart.contains { $0.contains(self) }
    }

    /// The IPv4 address that a NAT64 makes of `64:ff9b::/96`.
    private var translated: IPAddress? {
        bits >> 32 == 0x0064_FF9B << 64 ? IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)) : nil
    }

    private static let globalUnicast = block("2000::/3")

    /// IANA's special-purpose registries (RFC 6890) and multicast, and one address that no registry has.
    private static let setApart: [AddressBlock] = [
        "0.0.0.0/8",  // This network; 0.0.0.0 reaches the own host on Linux.
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // Private (RFC 1918).
        "100.64.0.0/10",  // Between providers (RFC 6598); Alibaba's metadata is at 100.100.100.200.
        "127.0.0.0/8",  // Loopback.
        "169.254.0.0/16",  // Link-local (RFC 3927); metadata of most clouds is at 169.254.169.254.
        "192.0.0.0/24",  // Protocol assignments; Oracle's metadata is at 192.0.0.192.
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // Documentation (RFC 5737).
        "192.88.99.0/24",  // Former 6to4 relays (RFC 7526).
        "198.18.0.0/15",  // Benchmarks (RFC 2544).
        "224.0.0.0/4", "240.0.0.0/4",  // Multicast; reserved and broadcast.
        "168.63.129.16",  // Azure's own services for its machines: a public address in name only.
        "2001::/23",  // Protocol assignments, Teredo among them (RFC 2928, RFC 4380).
        "2001:db8::/32", "3fff::/20",  // Documentation (RFC 3849, RFC 9637).
        "2002::/16",  // 6to4: an IPv4 address of the writer's choice inside (RFC 3056).
    ].map(block)

    private static func block(_ text: String) -> AddressBlock {
        guard let block = AddressBlock(text) else { preconditionFailure("\(text) is an address block of ours") }
        return block
    }
}
