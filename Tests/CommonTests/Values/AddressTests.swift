import Common
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.0.0.7", "255.255.255.255", "::", "::1", "2001:db8::7", "fe80::1:2:3:4",
        "2001:db8:1:2:3:4:5:6",
    ])
    func `an address is printed as it was written`(text: String) throws {
        #expect(try #require(IPAddress(text)).description == text)
    }

    @Test func `IPv4 written as IPv6 is IPv4`() throws {
        let four = try #require(IPAddress("10.0.0.7"))
        #expect(IPAddress("::ffff:10.0.0.7") == four)
        #expect(IPAddress(bytes: [10, 0, 0, 7]) == four)
        #expect(IPAddress(bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 7]) == four)
        #expect(IPAddress(ipv4: 0x0A00_0007) == four)
        #expect(four.isIPv4)
        #expect(IPAddress("::10.0.0.7")?.isIPv4 == false)
        #expect(IPAddress("2001:DB8:0::7") == IPAddress("2001:db8::7"))
    }

    @Test(arguments: [
        "", "1", "10.0.0", "10.0.0.256", "10.0.0.07", "10.0.0.7.1", " 10.0.0.7", "10.0.0.7 ", "10.0.0.7\0",
        "0x0a.0.0.7",
        "[::1]", "::1%lo", "1::2::3", ":::", "12345::", "localhost", "1.2.3.4\0.5", "１０.0.0.7",
    ])
    func `is no address`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `an address has 4 bytes or 16`() {
        for count in 0...33 where count != 4 && count != 16 {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    @Test func `loopback is known in both families`() {
        for text in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"] {
            #expect(IPAddress(text)?.isLoopback == true, "\(text)")
        }
        for text in ["128.0.0.1", "126.255.255.255", "::2", "::", "1::1", "::127.0.0.1"] {
            #expect(IPAddress(text)?.isLoopback == false, "\(text)")
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"], ["9.255.255.255", "11.0.0.0", "::a00:1"]),
        ("10.0.0.7", ["10.0.0.7"], ["10.0.0.6", "10.0.0.8"]),
        ("10.0.0.6/31", ["10.0.0.6", "10.0.0.7"], ["10.0.0.5", "10.0.0.8"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "2001:db7:ffff::"]),
        ("2001:db8::7", ["2001:db8::7"], ["2001:db8::6"]),
        ("fe80::/10", ["fe80::1", "febf::1"], ["fec0::1"]),
        ("::/0", ["::", "ffff::"], ["10.0.0.7", "::ffff:1.2.3.4"]),
    ])
    func `a block has the addresses that begin alike`(text: String, inside: [String], outside: [String]) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.description == text)
        for address in inside { #expect(block.contains(try #require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(!block.contains(try #require(IPAddress(address))), "\(address)") }
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/0008",
        "10.0.0.7/8", "10.0.0.0/6", "::/129", "2001:db8::1/32", "::ffff:10.0.0.0/104", "host/8", "10.0.0.0/ 8",
    ])
    func `is no block`(text: String) { #expect(AddressBlock(text) == nil) }
}
