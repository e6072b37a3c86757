import Common
import Foundation
import TestKit
import Testing

@testable import PushServer

/// Who gets in, how, and what the others are told. Each test ends with nobody connected.
@Suite struct LoginTests {
    @Test func aGoodTokenIsWelcomedAndRouted() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            let route = try #require(try await neighbours.routes(of: "alice").first)
            #expect(route.incarnation == node.bound.incarnation)
            #expect(try await device.text(with: "welcome").contains(route.session.description))
            try await device.send(DeviceSocket.frame(0x88, [0x03, 0xE8]))
            #expect(try await device.closeNumber() == 1000)
            try await eventually("the route is given back") { try await neighbours.routes(of: "alice").isEmpty }
            try await node.expectNobody()
            #expect(try await node.ended(.clientLeft) == 1)
        }
    }

    @Test func aTokenMayComeWithTheRequest() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let token = try neighbours.token("alice")
            for request in [
                DeviceSocket.request(fields: "authorization: Bearer \(token)\r\n"),
                DeviceSocket.request("/v1/connect?token=\(token)"),
            ] {
                let device = try await node.connect()
                try await device.open(request)
                try await device.text(with: #""op":"welcome""#)
                try await device.close()
                try await node.expectNobody()
            }
        }
    }

    @Test(arguments: ["broken", "expired", "foreign", "unsigned", "wrong audience", "revoked", "other device"])
    func aBadTokenEndsTheConnection(kind: String) async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let good = try neighbours.token("alice")
            var expected = CloseReason.tokenInvalid
            var hello = ""
            switch kind {
            case "broken": hello = node.hello(String(good.dropLast(8)) + "AAAAAAAA")
            case "expired":
                hello = node.hello(try neighbours.token("alice", seconds: -120))
                expected = .tokenExpired
            case "foreign":
                let other = try SigningKey.generate(.es256, id: try #require(KeyID("k1")))
                hello = node.hello(try neighbours.token("alice", by: other))
            case "unsigned":
                let header = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
                hello = node.hello(header + "." + good.split(separator: ".")[1] + ".")
            case "wrong audience": hello = node.hello(try neighbours.token("alice", audience: "another-service"))
            case "revoked":
                _ = try await neighbours.routes.revoke(ClientID("alice"))
                hello = node.hello(good)
                expected = .tokenRevoked
            default: hello = #"{"op":"hello","token":"\#(good)","device":"tablet"}"#
            }
            let device = try await node.connect()
            try await device.open()
            try await device.send(hello)
            #expect(try await device.closeNumber() == expected.number)
            #expect(device.texts.contains { $0.contains(expected.name) && $0.contains(#""reconnect":"new_token""#) })
            #expect(try await neighbours.routes(of: "alice").isEmpty)
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(expected) == 1)
        }
    }

    @Test func whoSaysNoHelloIsClosedAtTheDeadlineHoweverManyBytesDrip() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.authenticationDeadline = .seconds(1)
        } _: { node in
            let silent = try await node.connect()
            let dripping = try await node.connect()
            try await silent.open()
            let start = ContinuousClock.now
            let request = DeviceSocket.request(fields: "x: \(String(repeating: "y", count: 4_000))\r\n")
            var rest = request.utf8[...]
            try await eventually("the end of the dripping connection") {
                if let byte = rest.popFirst() { try? await dripping.send([byte]) }
                return dripping.isClosed
            }
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await silent.closeNumber() == CloseReason.authenticationTimeout.number)
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(.authenticationTimeout) == 2)
        }
    }

    @Test func theSameDeviceElsewhereReplacesTheFirstWithinASecond() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode("n1") { first in
            try await neighbours.withNode("n2") { second in
                let old = try await first.login("alice")
                let new = try await second.login("alice")
                try await eventually(within: .seconds(1), "the first is closed") {
                    !old.frames.allSatisfy { $0.opcode != 8 }
                }
                #expect(try await old.closeNumber() == CloseReason.replaced.number)
                let routes = try await neighbours.routes(of: "alice")
                #expect(routes.map(\.incarnation) == [second.bound.incarnation])
                let newest = try await second.login("alice")
                #expect(try await new.closeNumber() == CloseReason.replaced.number)
                #expect(try await neighbours.routes(of: "alice").count == 1)
                try await newest.close()
                try await first.expectNobody()
                try await second.expectNobody()
            }
        }
    }

    @Test func displacingEachOtherTooOftenIsAConflict() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            var last = try await node.login("alice")
            for _ in 0..<5 {
                let next = try await node.login("alice")
                #expect(try await last.closeNumber() == CloseReason.replaced.number)
                last = next
            }
            let refused = try await node.connect()
            try await refused.open()
            try await refused.send(node.hello(neighbours.token("alice")))
            #expect(try await refused.closeNumber() == CloseReason.conflict.number)
            #expect(try await neighbours.routes(of: "alice").count == 1)
            #expect(!last.isClosed)
        }
    }

    @Test func theOldestDeviceGivesWayBeyondTheLimit() async throws {
        var limits = Limits.default
        limits.devicesPerClientMax = 2
        let neighbours = try Neighbours(limits: limits)
        try await neighbours.withNode { node in
            let first = try await node.login("alice", "d1")
            let second = try await node.login("alice", "d2")
            let third = try await node.login("alice", "d3")
            #expect(try await first.closeNumber() == CloseReason.replaced.number)
            #expect(Set(try await neighbours.routes(of: "alice").map(\.device.text)) == ["d2", "d3"])
            #expect(!second.isClosed && !third.isClosed)
        }
    }

    @Test func aTokenIsRenewedOrRefusedWithoutAnEnd() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.connect()
            try await device.open()
            try await device.send(node.hello(neighbours.token("alice", seconds: 3)))
            try await device.text(with: "welcome")
            try await device.send(#"{"op":"token","ref":1,"token":"\#(try neighbours.token("bob"))"}"#)
            #expect(try await device.text(with: #""ref":1"#).contains("token_invalid"))
            try await device.send(#"{"op":"token","ref":2,"token":"\#(try neighbours.token("alice", seconds: -120))"}"#)
            #expect(try await device.text(with: #""ref":2"#).contains("token_expired"))
            try await device.send(#"{"op":"token","ref":3,"token":"\#(try neighbours.token("alice", seconds: 6))"}"#)
            #expect(try await device.text(with: #""ref":3"#).contains(#""op":"ok""#))
            let renewed = ContinuousClock.now
            #expect(try await device.closeNumber() == CloseReason.tokenExpired.number)
            #expect(ContinuousClock.now - renewed > .seconds(4), "the first token's end no longer counts")
            #expect(try await neighbours.routes(of: "alice").isEmpty)
            try await node.expectNobody()
        }
    }

    @Test func aRevocationClosesLiveSessionsWithinTheBeat() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice")
            let bob = try await node.login("bob")
            _ = try await neighbours.routes.revoke(ClientID("alice"))
            #expect(try await alice.closeNumber(within: .seconds(2)) == CloseReason.tokenRevoked.number)
            #expect(try await neighbours.routes(of: "alice").isEmpty)
            #expect(!bob.isClosed)
        }
    }
}
