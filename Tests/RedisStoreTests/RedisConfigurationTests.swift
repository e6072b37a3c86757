import Common
import Testing

@testable import RedisStore

@Suite struct RedisConfigurationTests {
    @Test func theUsualForm() throws {
        let configuration = try RedisConfiguration(url: "redis://127.0.0.1:7000")
        #expect(configuration.topology == .single)
        #expect(configuration.addresses == [RedisAddress(host: "127.0.0.1", port: 7000)])
        #expect(configuration.user == nil && configuration.password == nil && configuration.tls == nil)
        #expect(configuration.database == 0)
        #expect(configuration.commandTimeout == .seconds(1))
    }

    @Test func everythingAtOnce() throws {
        let configuration = try RedisConfiguration(url: "rediss://ann:p%40ss%2Fw%3Ard@cache.example/5")
        #expect(configuration.addresses == [RedisAddress(host: "cache.example", port: 6379)])
        #expect(configuration.user == "ann")
        #expect(configuration.password == "p@ss/w:rd")
        #expect(configuration.database == 5)
        #expect(configuration.tls == RedisTLS())
    }

    @Test func aPasswordWithoutAUserAndAnIPv6Address() throws {
        let configuration = try RedisConfiguration(url: "redis://:a:b@[::1]:6380/0")
        #expect(configuration.user == nil)
        #expect(configuration.password == "a:b")
        #expect(configuration.addresses == [RedisAddress(host: "::1", port: 6380)])
        #expect(try RedisConfiguration(url: "redis://[::1]").addresses[0].description == "[::1]:6379")
    }

    @Test func aClusterHasSeveralAddresses() throws {
        let configuration = try RedisConfiguration(url: "redis+cluster://:x@a:1,b:2,c")
        #expect(configuration.topology == .cluster)
        #expect(configuration.addresses.map(\.description) == ["a:1", "b:2", "c:6379"])
        #expect(try RedisConfiguration(url: "rediss+cluster://a").tls != nil)
    }

    @Test func secretsAreNotPrinted() throws {
        let configuration = try RedisConfiguration(url: "redis://ann:hunter2@h/1")
        #expect("\(configuration)" == "redis://ann:***@h:6379/1")
    }

    @Test(arguments: [
        "", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:65536", "redis://h:x",
        "redis://a,b", "redis://hunter2@h", "redis://u:%zz@h", "redis://u:hunter2%f@h", "redis://u:%ff@h",
        "redis://h/x", "redis://h/-1", "redis+cluster://h/1", "redis+cluster://a,,b", "redis://[::1", "redis://[::1]x",
        "redis+sentinel://h:26379/mymaster",
    ])
    func wrongAddressesAreNamedAndNotRepeated(_ url: String) {
        let error = #expect(throws: WindfireError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("the address of Redis") == true)
    }

    @Test func tlsFilesThatAreNotThereAreAConfigurationError() {
        var tls = RedisTLS()
        tls.authoritiesFile = "/nonexistent/ca.pem"
        let error = #expect(throws: WindfireError.self) { try tls.makeContext() }
        #expect(error?.code == .configurationInvalid)
    }
}

@Suite struct BackoffTests {
    @Test func waitsDoubleUpToTheMostAndAreNeverNothing() {
        let backoff = Backoff()
        #expect(
            (0...8).map { backoff.delay(attempt: $0, share: 1) }
                == [50, 100, 200, 400, 800, 1600, 3000, 3000, 3000].map { .milliseconds($0) })
        #expect(backoff.delay(attempt: 3, share: 0.5) == .milliseconds(200))
        for attempt in [-1, 0, 5, 1000] { #expect(backoff.delay(attempt: attempt, share: 0) == .milliseconds(10)) }
        #expect(backoff.delay(attempt: .max, share: 7) == .seconds(3))
    }
}
