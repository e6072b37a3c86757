import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import AuthService

@Suite struct LoginTests {
    @Test func aLoginGivesATokenAndANode() async throws {
        let fixture = try await AuthFixture()
        let answer = try await fixture.login("alice", device: "phone")
        #expect(answer.client == "alice")
        #expect(answer.device == "phone")
        #expect(answer.expires_at == AuthFixture.noon + 3600)
        #expect(answer.heartbeat_s == 25)
        #expect(answer.backoff == .init(base_ms: 500, factor: 2, max_ms: 30_000, jitter: 1))
        #expect(answer.alternatives.count == 2)
        #expect(Set([answer.node.id] + answer.alternatives.map(\.id)) == ["n0", "n1", "n2"])
        // What is between the roles is not shown.
        #expect(answer.node.endpoints == ["ws": "ws://127.0.0.1:1/v1/connect"])

        let claims = try await fixture.verifier().verify(answer.token)
        #expect(claims.client.text == "alice")
        #expect(claims.device.text == "phone")
        #expect(claims.node?.text == answer.node.id)
        #expect(claims.generation == .first)
        #expect(claims.permissions == DevAuthenticator.permissions)
    }

    @Test func aDeviceThatHasNoNameIsCalledDefault() async throws {
        #expect(try await AuthFixture().login().device == "default")
    }

    @Test func noTwoTokensAreTheSame() async throws {
        let fixture = try await AuthFixture()
        let tokens = [try await fixture.login().token, try await fixture.login().token]
        #expect(tokens[0] != tokens[1])
    }

    @Test func theSameClientGetsTheSameNodeAgain() async throws {
        let fixture = try await AuthFixture()
        let first = try await fixture.login().node.id
        for _ in 0..<5 { #expect(try await fixture.login().node.id == first) }
    }

    @Test func answersAreNotCached() async throws {
        let answer = try await AuthFixture().post("/v1/token", #"{"client":"a","secret":"dev"}"#)
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test func wrongRequestsAreNamed() async throws {
        let fixture = try await AuthFixture()
        let long = String(repeating: "a", count: 129)
        let table: [(String, FailureCode, String)] = [
            ("", .invalidJSON, "the body is empty"),
            ("{", .invalidJSON, "the body is not valid JSON"),
            (#"{"client":"a","secret":"wrong"}"#, .unauthorized, "the client or its credentials are not valid"),
            (#"{"client":"a","secret":""}"#, .unauthorized, "the client or its credentials are not valid"),
            (#"{"client":"a"}"#, .unauthorized, "the client or its credentials are not valid"),
            (#"{"secret":"dev"}"#, .invalidRequest, "client is missing"),
            (#"{"client":"","secret":"dev"}"#, .invalidID, "client id is empty"),
            (#"{"client":"\#(long)","secret":"dev"}"#, .invalidID, "client id is longer than 128 bytes"),
            (#"{"client":"a\u0007","secret":"dev"}"#, .invalidID, "client id has a character that is not allowed"),
            (#"{"client":"a","device":"","secret":"dev"}"#, .invalidID, "device id is empty"),
            (#"{"client":"a","zone":"","secret":"dev"}"#, .invalidRequest, "zone has 1 to 64 bytes"),
            (#"{"client":"a","password":"dev"}"#, .invalidRequest, "there is no field password"),
            (#"{"client":["a"],"secret":"dev"}"#, .invalidRequest, "client has the wrong type"),
        ]
        for (body, code, detail) in table {
            #expect(try await fixture.post("/v1/token", body).problem(code) == detail)
        }
        let huge = #"{"client":"a","secret":"\#(String(repeating: "x", count: 20_000))"}"#
        try await fixture.post("/v1/token", huge).problem(.bodyTooLarge)
        try await fixture.ask("/v1/token").problem(.methodNotAllowed)
        try await fixture.ask("/v2/token").problem(.notFound)
    }

    @Test func withoutANodeTheAnswerSaysWhenToComeBack() async throws {
        let fixture = try await AuthFixture(nodes: 0)
        let answer = try await fixture.post("/v1/token", #"{"client":"a","secret":"dev"}"#)
        try answer.problem(.noNode)
        #expect(answer.headers[.retryAfter] == "2")
    }

    @Test func aBackEndAsksForItsClients() async throws {
        let fixture = try await AuthFixture()
        let answer = try await fixture.post("/v1/token", #"{"client":"bob"}"#, bearer: "push-key")
        let login = try answer.json(LoginAnswer.self)
        let claims = try await fixture.verifier().verify(login.token)
        #expect(claims.client.text == "bob")
        #expect(claims.permissions == Permissions(subscribe: ["#"]))
        try await fixture.post("/v1/token", #"{"client":"bob"}"#, bearer: "ops-key").problem(.forbidden)
        try await fixture.post("/v1/token", #"{"client":"bob"}"#, bearer: "nonsense").problem(.unauthorized)
    }

    /// Guessing one client's secret stops after five tries, for that client and from that address.
    @Test func wrongSecretsAreSlowedDown() async throws {
        let fixture = try await AuthFixture()
        for _ in 0..<5 { try await fixture.post("/v1/token", #"{"client":"a","secret":"x"}"#).problem(.unauthorized) }
        let refused = try await fixture.post("/v1/token", #"{"client":"a","secret":"dev"}"#)
        try refused.problem(.rateLimited)
        #expect(refused.headers[.retryAfter] == "60")
        _ = try await fixture.login("b")
        fixture.advance(by: .seconds(60))
        _ = try await fixture.login("a")
    }

    @Test func manyClientsFromOneAddressAreSlowedDownToo() async throws {
        let fixture = try await AuthFixture { $0.addressFailures = .init(failuresMax: 10) }
        for place in 0..<10 {
            try await fixture.post("/v1/token", #"{"client":"c\#(place)","secret":"x"}"#).problem(.unauthorized)
        }
        try await fixture.post("/v1/token", #"{"client":"fresh","secret":"dev"}"#).problem(.rateLimited)
    }

    @Test func metricsTellWhatHappened() async throws {
        let fixture = try await AuthFixture(nodes: 1)
        _ = try await fixture.login()
        try await fixture.post("/v1/token", #"{"client":"a","secret":"x"}"#).problem(.unauthorized)
        let page = String(buffer: try await fixture.ask("/metrics").body)
        #expect(page.contains(#"windfire_tokens_issued_total{kind="login"} 1"#))
        #expect(page.contains(#"windfire_tokens_refused_total{reason="unauthorized"} 1"#))
        #expect(page.contains(#"windfire_assignments_total{node="n0"} 1"#))
        #expect(page.contains(#"windfire_node_weight{node="n0"} 100"#))
        #expect(page.contains("windfire_signing_keys 1"))
    }

    @Test func aFullNodeIsLeftAlone() async throws {
        let fixture = try await AuthFixture()
        let home = try await fixture.login().node.id
        fixture.routes.set(
            NodeLoad(
                incarnation: Member.sample(home).incarnation, online: 1000, cpu: 0, loopLagMilliseconds: 0,
                at: UInt64(AuthFixture.noon) * 1000))
        await fixture.service.refresh()
        let answer = try await fixture.login()
        #expect(answer.node.id != home)
        #expect(!answer.alternatives.map(\.id).contains(home))
    }
}
