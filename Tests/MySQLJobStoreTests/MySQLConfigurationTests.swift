import Common
import Testing

@testable import MySQLJobStore

@Suite struct MySQLConfigurationTests {
    @Test func anAddressSaysWhereAndWho() throws {
        let address = try MySQLConfiguration(url: "mysql://push:p%40ss%3Aw%2Ford@db.example:3307/wind%20fire")
        #expect(address.host == "db.example")
        #expect(address.port == 3307)
        #expect(address.user == "push")
        #expect(address.password == "p@ss:w/ord")
        #expect(address.database == "wind fire")
        #expect(address.tls == .off)
        #expect(address.description == "mysql://push:***@db.example:3307/wind fire")
    }

    @Test func thePortIsTheUsualOneAndIPv6StandsInBrackets() throws {
        #expect(try MySQLConfiguration(url: "mysql://u:p@h/d").port == 3306)
        let address = try MySQLConfiguration(url: "mysql://u:p@[::1]:3307/d")
        #expect(address.host == "::1")
        #expect(address.port == 3307)
    }

    @Test(arguments: [
        ("tls=off", MySQLConfiguration.TLS.off), ("tls=required", .required),
        ("tls=verify", .verified(authorities: nil)), ("tls-ca=/etc/ca.pem", .verified(authorities: "/etc/ca.pem")),
        ("tls=verify&tls-ca=%2Fetc%2Fca.pem", .verified(authorities: "/etc/ca.pem")),
    ])
    func theQuerySaysHowItIsEncrypted(_ query: String, _ tls: MySQLConfiguration.TLS) throws {
        #expect(try MySQLConfiguration(url: "mysql://u:p@h/d?\(query)").tls == tls)
    }

    @Test func aPasswordMayBeGivenApart() throws {
        #expect(try MySQLConfiguration(url: "mysql://u@h/d", password: "p%40").password == "p%40")
        #expect(throws: WindfireError.self) { try MySQLConfiguration(url: "mysql://u@h/d") }
        #expect(throws: WindfireError.self) { try MySQLConfiguration(url: "mysql://u:p@h/d", password: "q") }
    }

    @Test(arguments: [
        "", "postgres://u:hush@h/d", "mysql://", "mysql://h/d", "mysql://:hush@h/d", "mysql://u:hush@/d",
        "mysql://u:hush@h", "mysql://u:hush@h/", "mysql://u:hush@h:0/d", "mysql://u:hush@h:65536/d",
        "mysql://u:hush@h:x/d", "mysql://u:hush@h1,h2/d", "mysql://u:hush@[::1/d", "mysql://u:hush@[::1]3306/d",
        "mysql://u:hush@h/d/e", "mysql://u:hush@h/d%60", "mysql://u:hush%2@h/d", "mysql://u:hush%FF@h/d",
        "mysql://u:hush%00@h/d", "mysql://u:hush@h/d?tls", "mysql://u:hush@h/d?tls=yes",
        "mysql://u:hush@h/d?tls=off&tls-ca=x", "mysql://u:hush@h/d?tls-ca=", "mysql://u:hush@h/d?other=1",
    ])
    func whatIsNoAddressIsRefusedByRuleAndNotRepeated(_ text: String) {
        let error = #expect(throws: WindfireError.self) { try MySQLConfiguration(url: text) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.description.contains("hush") == false)
    }

    @Test(arguments: [
        ("10.11.6-MariaDB-0+deb12u1", true), ("5.5.5-10.6.0-MariaDB-log", true), ("10.5.23-MariaDB", false),
        ("11.4.2-MariaDB", true), ("8.0.36", true), ("8.4.0-commercial", true), ("5.7.44-log", false),
        ("9.1.0", true), ("", false), ("TiDB", false),
    ])
    func versionsThatSkipLockedRowsAreKnown(_ version: String, _ skips: Bool) {
        #expect(ServerCheck.skipsLocked(version) == skips)
    }
}
