import Common
import Testing

@Suite struct AddressTextTests {
    @Test(arguments: [
        ("h", "h", 7), ("h:1", "h", 1), ("[::1]", "::1", 7), ("[::1]:65535", "::1", 65_535),
        ("10.0.0.1:80", "10.0.0.1", 80),
    ])
    func hostsAndPortsAreRead(text: String, host: String, port: Int) throws {
        let read = try AddressText.hostAndPort(text[...], defaultPort: 7)
        #expect(read == (host, port))
    }

    @Test(arguments: [
        ("", "has no host"), (":1", "has no host"), ("[]:1", "has no host"), ("[::1", "has a [ without a ]"),
        ("[::1]x", "has something between ] and the port"), ("h:", "has a port that is not a number from 1 to 65535"),
        ("h:0", "has a port that is not a number from 1 to 65535"),
        ("h:65536", "has a port that is not a number from 1 to 65535"),
    ])
    func whatIsWrongIsToldByItsRule(text: String, rule: String) {
        let problem = #expect(throws: AddressText.Problem.self) {
            try AddressText.hostAndPort(text[...], defaultPort: 7)
        }
        #expect(problem?.rule == rule)
    }

    @Test func percentEncodingIsTakenAway() throws {
        #expect(try AddressText.decoded("a%40b%C3%A9+%25") == "a@bé+%")
        for text in ["%", "%4", "%zz", "a%C3", "%00"] {
            #expect(throws: AddressText.Problem.self) { try AddressText.decoded(text[...]) }
        }
    }
}
