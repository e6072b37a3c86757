import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import AuthService

@Suite struct RefreshTests {
    @Test func aValidTokenIsExchangedForALaterOneOfTheSameKind() async throws {
        let fixture = try await AuthFixture()
        let first = try await fixture.login("alice", device: "phone")
        fixture.advance(by: .seconds(3000))
        let second = try await fixture.post("/v1/token/refresh", "", bearer: first.token).json(LoginAnswer.self)
        #expect(second.expires_at == first.expires_at + 3000)
        #expect(second.node == first.node)
        let verifier = try fixture.verifier()
        let (old, new) = (try await verifier.verify(first.token), try await verifier.verify(second.token))
        #expect(new.client == old.client)
        #expect(new.device == old.device)
        #expect(new.permissions == old.permissions)
        #expect(new.id != old.id)
    }

    @Test func whatIsNoValidTokenIsRefused() async throws {
        let fixture = try await AuthFixture()
        let token = try await fixture.login().token
        try await fixture.post("/v1/token/refresh", "").problem(.unauthorized)
        for wrong in ["x", token + "A", String(token.dropLast(3)), "push-key"] {
            #expect(
                try await fixture.post("/v1/token/refresh", "", bearer: wrong).problem(.tokenInvalid)
                    == "the token is not valid")
        }
        fixture.advance(by: .seconds(3600 + 60))
        try await fixture.post("/v1/token/refresh", "", bearer: token).problem(.tokenExpired)
    }

    @Test func aRevokedTokenIsRefusedAndANewLoginGoesOn() async throws {
        let fixture = try await AuthFixture()
        let old = try await fixture.login().token
        let answer = try await fixture.post("/v1/revoke", #"{"client":"alice"}"#, bearer: "ops-key")
        #expect(answer.status == .ok)
        #expect(String(buffer: answer.body) == #"{"client":"alice","generation":1}"#)
        try await fixture.post("/v1/token/refresh", "", bearer: old).problem(.tokenRevoked)
        let new = try await fixture.login().token
        #expect(try await fixture.verifier().verify(new).generation == Generation(1))
        #expect(try await fixture.post("/v1/token/refresh", "", bearer: new).status == .ok)
    }

    @Test func onlyOperatorsRevoke() async throws {
        let fixture = try await AuthFixture()
        try await fixture.post("/v1/revoke", #"{"client":"alice"}"#).problem(.unauthorized)
        try await fixture.post("/v1/revoke", #"{"client":"alice"}"#, bearer: "push-key").problem(.forbidden)
        try await fixture.post("/v1/revoke", "{}", bearer: "ops-key").problem(.invalidRequest)
    }

    /// DESIGN.md, section 11: logins go on; a revocation that may not have happened is not answered as done.
    @Test func withoutTheRouteStoreLoginsGoOnUnderTheLastKnownGeneration() async throws {
        let fixture = try await AuthFixture()
        _ = try await fixture.post("/v1/revoke", #"{"client":"alice"}"#, bearer: "ops-key")
        fixture.routes.isAway = true
        await fixture.service.refresh()
        let verifier = try fixture.verifier()
        #expect(try await verifier.verify(try await fixture.login("alice").token).generation == Generation(1))
        #expect(try await verifier.verify(try await fixture.login("bob").token).generation == .first)
        try await fixture.post("/v1/revoke", #"{"client":"bob"}"#, bearer: "ops-key").problem(.routesUnavailable)
    }

    @Test func withoutTheRegistryTheLastKnownNodesAreHandedOut() async throws {
        let fixture = try await AuthFixture()
        let node = try await fixture.login().node
        fixture.registry.disconnect()
        await fixture.service.refresh()
        #expect(try await fixture.login().node == node)
    }

    @Test func generationsAreRememberedWithinABound() {
        var seen = SeenGenerations(halfMax: 10)
        for place in 0..<100 { seen.remember(ClientID(unchecked: "c\(place)"), Generation(UInt64(place))) }
        #expect(seen.count <= 20)
        #expect(seen[ClientID(unchecked: "c99")] == Generation(99))
        #expect(seen[ClientID(unchecked: "c0")] == .first)
        seen.remember(ClientID(unchecked: "c99"), Generation(1))
        #expect(seen[ClientID(unchecked: "c99")] == Generation(99))
    }
}
