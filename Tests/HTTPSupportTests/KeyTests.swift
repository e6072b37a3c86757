import Common
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HTTPSupport

@Suite struct APIKeyTests {
    @Test func eachRoleOpensItsDoorsAndAdminAll() async throws {
        let opens: [String: Set<String>] = [
            "push-key": ["push"], "ops-key": ["ops"], "admin-key": ["push", "ops", "admin"],
        ]
        try await FaceFixture.application().application.test(.router) { client in
            for (key, doors) in opens {
                for role in APIKey.Role.allCases {
                    let headers: HTTPFields = [.authorization: "Bearer \(key)"]
                    try await client.execute(uri: "/\(role.rawValue)", method: .get, headers: headers) { answer in
                        if doors.contains(role.rawValue) {
                            #expect(answer.status == .ok)
                        } else {
                            _ = try answer.problem(.forbidden)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [
        nil, "", "Bearer", "Bearer ", "Bearer wrong", "Basic push-key", "push-key", "Bearer push-key2",
        "Bearer PUSH-KEY",
        "Bearer \(APIKeys.hash(of: "push-key"))",
    ])
    func withoutAValidKeyNothingOpens(value: String?) async throws {
        var headers = HTTPFields()
        headers[.authorization] = value
        try await FaceFixture.application().application.test(.router) { [headers] client in
            try await client.execute(uri: "/push", method: .get, headers: headers) { answer in
                _ = try answer.problem(.unauthorized)
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
    }

    @Test func theSchemeMayBeWrittenInAnyCase() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: "/push", method: .get, headers: [.authorization: "bEARER  push-key"]) {
                #expect($0.status == .ok)
            }
        }
    }

    @Test func fiveWrongKeysCloseTheDoorForAMinute() async throws {
        let clock = HandClock()
        try await FaceFixture.application(now: clock.now).application.test(.router) { client in
            func ask(_ key: String) async throws -> TestResponse {
                try await client.execute(uri: "/push", method: .get, headers: [.authorization: "Bearer \(key)"])
            }
            for _ in 0..<5 { _ = try await ask("wrong").problem(.unauthorized) }
            let refused = try await ask("wrong")
            _ = try refused.problem(.rateLimited)
            #expect(refused.headers[.retryAfter] == "60")
            // The right key would tell a guesser that it is right.
            _ = try await ask("push-key").problem(.rateLimited)
            clock.advance(by: .seconds(60))
            #expect(try await ask("push-key").status == .ok)
        }
    }

    @Test func aWrongRoleIsNotAWrongKey() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            for _ in 0..<20 {
                try await client.execute(uri: "/ops", method: .get, headers: [.authorization: "Bearer push-key"]) {
                    _ = try $0.problem(.forbidden)
                }
            }
        }
    }

    /// SHA-256 of "abc": FIPS 180-2, appendix B.1.
    @Test func hashesAreSHA256() {
        #expect(
            APIKeys.hash(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(arguments: [
        "", "a", "a:push", ":push:00", "a:root:\(String(repeating: "0", count: 64))",
        "a:push:\(String(repeating: "0", count: 63))", "a:push:\(String(repeating: "g", count: 64))",
        "a:push:\(String(repeating: "0", count: 64)):", "a:push:\(String(repeating: "0", count: 64)):0/s",
        "a:push:\(String(repeating: "0", count: 64)):5", "a:push:\(String(repeating: "0", count: 64)):5/s:6/s",
    ])
    func aWrongEntryIsNamedByItsPlace(entry: String) throws {
        let good = APIKeys.entry(name: "good", role: .ops, key: "k")
        let failure = #expect(throws: WindfireError.self) { try APIKeys([good, entry]) }
        #expect(failure?.code == .configurationInvalid)
        #expect(failure?.message.hasPrefix("API key 2 ") == true)
        #expect(throws: WindfireError(.configurationInvalid, "API key 2 has the name of an earlier one")) {
            try APIKeys([good, good])
        }
    }
}

@Suite struct KeyRateTests {
    @Test func aKeyMayHaveABoundOnItsTargets() throws {
        let keys = try APIKeys([
            APIKeys.entry(name: "slow", role: .push, key: "s", ratePerSecond: 500),
            APIKeys.entry(name: "fast", role: .push, key: "f"),
        ])
        #expect(keys.rates == ["slow": 500])
        #expect(keys.identify("s")?.ratePerSecond == 500)
        #expect(keys.identify("f")?.ratePerSecond == nil)
    }
}

@Suite struct FailureLimiterTests {
    private let start = ContinuousClock.now

    @Test func triesAreCountedInAWindow() {
        var limiter = FailureLimiter(.init(failuresMax: 3, window: .seconds(60)))
        for second in 0..<3 {
            #expect(limiter.verdict(for: "a", now: start + .seconds(second)) == .open)
            limiter.failed("a", now: start + .seconds(second))
        }
        #expect(limiter.verdict(for: "a", now: start + .seconds(10)) == .closed(retryAfter: .seconds(50)))
        #expect(limiter.verdict(for: "b", now: start + .seconds(10)) == .open)
        #expect(limiter.verdict(for: "a", now: start + .seconds(60)) == .open)
        // The first has left the window; two remain, so one more closes it again.
        limiter.failed("a", now: start + .seconds(60))
        #expect(limiter.verdict(for: "a", now: start + .seconds(60)) == .closed(retryAfter: .seconds(1)))
    }

    @Test func theTableIsBoundedAndForgetsTheOldestFirst() {
        var limiter = FailureLimiter(.init(failuresMax: 1, window: .seconds(60), subjectsMax: 16))
        for place in 0..<1_000 { limiter.failed("\(place)", now: start + .milliseconds(place)) }
        #expect(limiter.subjects <= 16)
        #expect(limiter.verdict(for: "999", now: start + .seconds(1)) != .open)
        #expect(limiter.verdict(for: "0", now: start + .seconds(1)) == .open)
    }
}
