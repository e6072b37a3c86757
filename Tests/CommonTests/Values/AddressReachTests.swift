import Testing

@testable import Common

/// Who may be called on somebody else's word.
@Suite struct AddressReachTests {
    /// Each block's first and last address, and its neighbours outside.
    @Test(
        arguments: [
            ("0.0.0.0", "0.255.255.255", nil, "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
            ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
            ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
            ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
            ("224.0.0.0", "255.255.255.255", "223.255.255.255", nil),
            ("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
            ("::", "1fff:ffff:ffff:ffff::", nil, "2400::"),
            ("2001:db8::", "2001:db8:ffff:ffff::", "2001:db7:ffff::", "2001:db9::"),
            ("2002::", "2002:ffff:ffff::", "2001:ffff::", "2003::"),
            ("4000::", "ffff:ffff:ffff::", "3ffe:ffff::", nil),
        ] as [(String, String, String?, String?)])
    func blocksEndWhereTheyEnd(_ first: String, _ last: String, _ before: String?, _ after: String?) throws {
        for text in [first, last] { #expect(try !#require(IPAddress(text)).isPublic, "\(text)") }
        for text in [before, after].compactMap({ $0 }) { #expect(try #require(IPAddress(text)).isPublic, "\(text)") }
    }

    @Test func anIPv4AddressInIPv6ClothesIsWhatItIs() throws {
        for (text, isPublic) in [
            ("::ffff:10.0.0.1", false), ("::ffff:93.184.216.34", true), ("64:ff9b::7f00:1", false),
            ("64:ff9b::93.184.216.34", true), ("64:ff9b:1::93.184.216.34", false), ("::93.184.216.34", false),
            ("2606:4700::1111", true),
        ] {
            #expect(try #require(IPAddress(text)).isPublic == isPublic, "\(text)")
        }
    }
}
